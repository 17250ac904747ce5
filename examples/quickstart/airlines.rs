//! Airline names by code.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use thiserror::Error;

/// The names of airlines.
#[derive(Debug, Default)]
pub(crate) struct Airlines {
    names: BTreeMap<String, String>,
}

/// Why the airlines' names cannot be read.
#[derive(Debug, Error)]
pub(crate) enum AirlinesError {
    /// The file cannot be opened.
    #[error("the airlines' names cannot be read")]
    Open(#[from] io::Error),
    /// The file is not what it should be.
    #[error("not a file of airlines, which has the columns carrier and name")]
    Content(#[from] csv::Error),
}

#[derive(Deserialize)]
struct Airline {
    carrier: String,
    name: String,
}

impl Airlines {
    /// Reads a CSV file with the columns `carrier` and `name`.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or a row lacks one of them.
    pub(crate) fn open(path: &Path) -> Result<Self, AirlinesError> {
        Ok(Self::read(File::open(path)?)?)
    }

    fn read(input: impl Read) -> Result<Self, csv::Error> {
        let mut names = BTreeMap::new();
        for airline in csv::Reader::from_reader(input).deserialize() {
            let Airline { carrier, name } = airline?;
            names.insert(carrier, name);
        }
        Ok(Self { names })
    }

    /// The name of a carrier; `-` for one that the file does not have.
    pub(crate) fn name(&self, carrier: &str) -> &str {
        self.names.get(carrier).map_or("-", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::Airlines;

    #[test]
    fn names_are_found_by_code() {
        let real = include_bytes!("../data/airlines.csv");
        let airlines = Airlines::read(&real[..]).unwrap();
        assert_eq!(airlines.names.len(), 16);
        assert_eq!(airlines.name("UA"), "United Air Lines Inc.");
        assert_eq!(airlines.name("XX"), "-");
    }

    #[test]
    fn columns_may_stand_in_any_order_and_must_be_there() {
        let read = |text: &str| Airlines::read(text.as_bytes());
        let swapped = read("name,carrier\n\"Air, Ltd.\",ZZ\n").unwrap();
        assert_eq!(swapped.name("ZZ"), "Air, Ltd.");
        assert!(read("carrier,title\nZZ,Air\n").is_err());
        assert!(read("carrier,name\nZZ\n").is_err());
    }
}
