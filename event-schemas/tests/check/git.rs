//! Reading files at a git ref, and its errors.

use event_schemas::check::git::{GitError, files_at, first_committed};

use crate::world::World;

#[test]
fn files_are_read_as_they_were_and_the_work_tree_is_left_alone() {
    let world = World::empty();
    world.write("index.json", "old");
    world.write("a/1.0.json", "one");
    world.commit("v1");
    world.write("index.json", "new");
    world.write("a/2.0.json", "two");
    world.commit("v2");
    world.write("index.json", "not committed");
    let before = world.files();
    let snapshot = files_at(&world.folder(), "v1").unwrap();
    let files: Vec<_> = snapshot.files.unwrap().into_iter().collect();
    assert_eq!(
        files,
        [
            ("a/1.0.json".to_owned(), b"one".to_vec()),
            ("index.json".to_owned(), b"old".to_vec())
        ]
    );
    assert_eq!(snapshot.commit.len(), 40);
    assert_eq!(world.files(), before);
}

#[test]
fn a_folder_that_is_gone_is_still_read() {
    let world = World::empty();
    world.write("index.json", "old");
    world.commit("v1");
    std::fs::remove_dir_all(world.folder()).unwrap();
    let snapshot = files_at(&world.folder(), "v1").unwrap();
    assert_eq!(snapshot.files.unwrap().len(), 1);
}

#[test]
fn a_folder_that_was_not_there_yet_has_no_files() {
    let world = World::empty();
    world.commit("before");
    world.write("index.json", "new");
    assert_eq!(files_at(&world.folder(), "before").unwrap().files, None);
    // Nor is it a file of that name.
    std::fs::remove_dir_all(world.folder()).unwrap();
    std::fs::write(world.folder(), "a file").unwrap();
    world.commit("file");
    std::fs::remove_file(world.folder()).unwrap();
    assert_eq!(files_at(&world.folder(), "file").unwrap().files, None);
}

#[test]
fn many_and_large_files_come_through_the_pipes() {
    let world = World::empty();
    for number in 0..300 {
        world.write(
            &format!("{number}/1.0.json"),
            &format!("{number}\n").repeat(3000),
        );
    }
    world.write("empty", "");
    world.commit("v1");
    let files = files_at(&world.folder(), "v1").unwrap().files.unwrap();
    assert_eq!(files.len(), 301);
    assert_eq!(files["299/1.0.json"], "299\n".repeat(3000).into_bytes());
    assert_eq!(files["empty"], b"");
}

#[test]
fn a_ref_that_is_not_there_says_how_to_get_it() {
    let world = World::empty();
    world.commit("v1");
    for reference in ["origin/main", "", "--help", "v1:contracts"] {
        let error = files_at(&world.folder(), reference).unwrap_err();
        assert!(
            matches!(error, GitError::NoSuchRef { .. }),
            "{reference}: {error}"
        );
        assert!(error.to_string().contains("fetch-depth: 0"), "{error}");
    }
}

#[test]
fn outside_of_a_repository_it_says_so() {
    let outside = tempfile::tempdir().unwrap();
    let error = files_at(&outside.path().join("contracts"), "main").unwrap_err();
    assert!(matches!(error, GitError::NoRepository { .. }), "{error}");
    assert!(
        error.to_string().contains("is in no git repository"),
        "{error}"
    );
}

#[test]
fn a_file_is_dated_by_the_commit_that_added_it() {
    let world = World::empty();
    world.write("a b/1.0.json", "one");
    world.commit("v1");
    world.git(&["mv", "contracts/a b", "contracts/ä"]);
    world.write("index.json", "new");
    world.commit("v2");
    world.write("index.json", "changed");
    world.commit("v3");
    world.write("later.json", "not committed");
    let dates = first_committed(&world.folder()).unwrap();
    let files: Vec<&str> = dates.keys().map(String::as_str).collect();
    assert_eq!(files, ["a b/1.0.json", "index.json", "ä/1.0.json"]);
    for date in dates.values() {
        date.parse::<jiff::civil::Date>().unwrap();
    }
}
