//! `schemas asyncapi` and `schemas page`.

use std::fs;

use crate::run::{OrderPaid, schemas, shop};
use event_schemas::Catalogue;

#[test]
fn a_document_is_written_and_then_is_as_the_code_says() {
    let dir = tempfile::tempdir().unwrap();
    for command in ["asyncapi", "page"] {
        let file = dir.path().join(format!("docs/{command}.out"));
        let with_file = format!("{command} --output {}", file.display());

        let before = schemas(&shop(), dir.path(), &format!("{with_file} --check"));
        assert_eq!((before.code, before.err.as_str()), (1, ""));
        assert!(before.out.starts_with("missing "), "{}", before.out);
        assert!(
            before
                .out
                .contains(&format!("run `schemas {with_file}` and commit it"))
        );
        assert!(!file.exists());

        let written = schemas(&shop(), dir.path(), &with_file);
        assert_eq!((written.code, written.err.as_str()), (0, ""));
        assert_eq!(written.out, format!("wrote {}\n", file.display()));
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(schemas(&shop(), dir.path(), command).out, text);

        let after = schemas(&shop(), dir.path(), &format!("{with_file} --check"));
        assert_eq!(after.code, 0, "{}", after.out);
        fs::write(&file, text.replace('\n', "\r\n")).unwrap();
        assert_eq!(
            schemas(&shop(), dir.path(), &format!("{with_file} --check")).code,
            0
        );

        let less = Catalogue::new("Shop").events_of::<OrderPaid>();
        let differs = schemas(&less, dir.path(), &format!("{with_file} --check"));
        assert_eq!(differs.code, 1);
        assert!(differs.out.starts_with("differs "), "{}", differs.out);
    }
}

#[test]
fn nothing_is_made_of_a_catalogue_with_faults() {
    let dir = tempfile::tempdir().unwrap();
    let stream = event_sdk::stream::StreamSpec::new("MORE").subject("orders.order.*");
    for command in ["asyncapi", "page"] {
        let ended = schemas(&shop().stream(stream.clone()), dir.path(), command);
        assert_eq!(ended.code, 1);
        assert!(
            ended.out.starts_with("fault: orders.order."),
            "{}",
            ended.out
        );
        assert!(!ended.out.contains('{'), "{}", ended.out);
    }
}

#[test]
fn a_check_needs_a_file_and_a_file_needs_a_place() {
    let dir = tempfile::tempdir().unwrap();
    let ended = schemas(&shop(), dir.path(), "page --check");
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("--output"), "{}", ended.err);

    let taken = dir.path().join("taken");
    fs::write(&taken, "").unwrap();
    let below = format!("asyncapi --output {}/asyncapi.json", taken.display());
    let ended = schemas(&shop(), dir.path(), &below);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("cannot be written"), "{}", ended.err);
}

#[test]
fn the_page_has_the_versions_of_the_lock_and_refuses_a_broken_one() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(schemas(&shop(), dir.path(), "generate").code, 0);
    let less = Catalogue::new("Shop").events_of::<OrderPaid>();
    let page = schemas(&less, dir.path(), "page");
    assert_eq!(page.code, 0, "{}", page.err);
    assert!(
        page.out
            .contains(r#""subject":"orders.order.placed","absolute":false"#)
    );
    assert!(page.out.contains(r#""retired":true"#));

    fs::write(dir.path().join("index.json"), "{").unwrap();
    let ended = schemas(&less, dir.path(), "page");
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(ended.err.contains("index.json"), "{}", ended.err);
}

#[test]
fn a_page_that_is_published_has_dates_and_needs_git_for_them() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("contracts");
    assert_eq!(schemas(&shop(), &dir, "generate").code, 0);
    let ended = schemas(&shop(), &dir, "page --dates");
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("git"), "{}", ended.err);

    for arguments in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &[
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "commit",
            "--quiet",
            "-m",
            "v1",
        ],
    ] {
        let mut git = std::process::Command::new("git");
        let date = "2026-11-30T12:00:00Z";
        git.env("GIT_AUTHOR_DATE", date).current_dir(home.path());
        assert!(git.args(arguments).status().unwrap().success());
    }
    let dated = schemas(&shop(), &dir, "page --dates");
    assert_eq!((dated.code, dated.err.as_str()), (0, ""));
    assert!(dated.out.contains(r#""since":"2026-11-30""#));
    let plain = schemas(&shop(), &dir, "page");
    assert!(!plain.out.contains(r#""since":"2026"#));

    let ended = schemas(&shop(), &dir, "page --dates --check --output page.html");
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("--check"), "{}", ended.err);
}
