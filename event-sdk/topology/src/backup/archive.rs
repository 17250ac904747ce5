//! The layout of the file: a tar archive, compressed with gzip, with three files in one folder.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use tar::{Archive, Builder, Header};

use super::error::BackupError;
use super::manifest::{Manifest, content_file};

/// The names of the files before the content.
const MANIFEST: &str = "manifest.json";
const DESCRIPTION: &str = "backup.json";

/// The most bytes of these files.
const MAX_MANIFEST: u64 = 1024 * 1024;
const MAX_DESCRIPTION: u64 = 64 * 1024 * 1024;

/// How many bytes of the content are read at once.
pub(super) const PIECE: usize = 128 * 1024;

/// Writes all of it to `file`.
pub(super) fn write(
    file: &mut File,
    manifest: &Manifest,
    description: &[u8],
    content: &mut dyn Read,
) -> io::Result<()> {
    // A server has compressed the content already.
    let mut archive = Builder::new(GzEncoder::new(file, Compression::fast()));
    let json = serde_json::to_vec_pretty(manifest)?;
    let folder = &manifest.stream;
    let time = u64::try_from(manifest.time.as_second()).unwrap_or(0);
    let mut add = |name: &str, size: u64, data: &mut dyn Read| {
        let mut header = Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(time);
        archive.append_data(&mut header, format!("{folder}/{name}"), data)
    };
    add(MANIFEST, json.len() as u64, &mut &*json)?;
    add(DESCRIPTION, description.len() as u64, &mut &*description)?;
    add(&manifest.content.file, manifest.content.size, content)?;
    archive.into_inner()?.finish()?.flush()
}

/// Reads a backup and gives `each` the pieces of the content, which stops with an error of its own.
/// The manifest and the description are those that were read before the content.
///
/// The error at the end says that something differs from the manifest; the pieces were given by
/// then.
pub(super) fn read(
    path: &Path,
    mut each: impl FnMut(&[u8]) -> Result<(), BackupError>,
) -> Result<(Manifest, Vec<u8>), BackupError> {
    let file = File::open(path).map_err(BackupError::io(path, "open"))?;
    let mut archive = Archive::new(GzDecoder::new(BufReader::new(file)));
    let (manifest, description) = {
        let mut entries = archive.entries().map_err(|error| broken(path, error))?;
        let mut next = |wanted: &str| {
            let entry = entries.next().transpose();
            let entry = entry.map_err(|error| broken(path, error))?;
            let missing =
                || BackupError::damaged(path, format!("{wanted} is not where it should be"));
            let entry = entry.ok_or_else(missing)?;
            let name = entry.path().map_err(|error| broken(path, error))?;
            let is_it = name.file_name().is_some_and(|name| name == wanted);
            is_it.then_some(entry).ok_or_else(missing)
        };
        // What does not even begin as a backup is something else.
        let first = next(MANIFEST).map_err(|error| match error {
            BackupError::Damaged { path, .. } => BackupError::NotABackup {
                path,
                reason: "it is no tar.gz archive that begins with manifest.json".to_owned(),
            },
            other => other,
        });
        let json = whole(path, &mut first?, MAX_MANIFEST)?;
        let manifest = manifest(path, &json)?;
        let description = whole(path, &mut next(DESCRIPTION)?, MAX_DESCRIPTION)?;
        let mut content = next(&content_file(&manifest.kind))?;
        let (mut sha, mut size) = (Sha256::new(), 0);
        let mut piece = vec![0; PIECE];
        loop {
            let read = content.read(&mut piece);
            let read = read.map_err(|error| broken(path, error))?;
            let Some(piece) = piece.get(..read).filter(|piece| !piece.is_empty()) else {
                break;
            };
            sha.update(piece);
            size += read as u64;
            each(piece)?;
        }
        drop(content);
        if (size, hex(&sha.finalize())) != (manifest.content.size, manifest.content.sha256.clone())
        {
            let reason = "its content is not the one that the manifest describes";
            return Err(BackupError::damaged(path, reason));
        }
        if let Some(more) = entries.next() {
            more.map_err(|error| broken(path, error))?;
            let reason = "it has more files than a backup has";
            return Err(BackupError::damaged(path, reason));
        }
        (manifest, description)
    };
    // The checksum of gzip is the last thing in the file.
    let rest = io::copy(&mut archive.into_inner(), &mut io::sink());
    rest.map_err(|error| broken(path, error))?;
    Ok((manifest, description))
}

/// All of a file of the archive.
fn whole(path: &Path, entry: &mut impl Read, limit: u64) -> Result<Vec<u8>, BackupError> {
    let mut bytes = Vec::new();
    let read = entry.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| broken(path, error))?;
    if bytes.len() as u64 > limit {
        let reason = format!("a file of it has more than {limit} bytes");
        return Err(BackupError::damaged(path, reason));
    }
    Ok(bytes)
}

fn manifest(path: &Path, json: &[u8]) -> Result<Manifest, BackupError> {
    /// What each version has.
    #[derive(serde::Deserialize)]
    struct Head {
        format: String,
        version: u32,
    }
    let head: Option<Head> = serde_json::from_slice(json).ok();
    let Some(head) = head.filter(|head| head.format == Manifest::FORMAT) else {
        let reason = "its manifest.json is not one of a backup";
        return Err(not_a_backup(path, reason));
    };
    if head.version != Manifest::VERSION {
        return Err(BackupError::NewerFormat {
            path: path.to_owned(),
            version: head.version,
        });
    }
    serde_json::from_slice(json).map_err(|error| {
        BackupError::damaged(path, format!("its manifest.json cannot be read ({error})"))
    })
}

fn not_a_backup(path: &Path, reason: &str) -> BackupError {
    BackupError::NotABackup {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

/// What a reading error of the archive means: the file itself can be read.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn broken(path: &Path, error: io::Error) -> BackupError {
    BackupError::damaged(path, format!("it ends too early, or was changed ({error})"))
}

/// The bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // A string takes everything.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
