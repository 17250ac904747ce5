//! Required columns, and their positions in a file.

use std::fmt;

use csv::ByteRecord;

/// A column that the example reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Year,
    Month,
    Day,
    DepTime,
    SchedDepTime,
    DepDelay,
    ArrTime,
    SchedArrTime,
    ArrDelay,
    Carrier,
    Flight,
    TailNum,
    Origin,
    Dest,
    AirTime,
    Distance,
    TimeHour,
}

impl Column {
    /// Every column with its name in the header, in the order of the variants.
    const ALL: [(Column, &'static str); 17] = [
        (Column::Year, "year"),
        (Column::Month, "month"),
        (Column::Day, "day"),
        (Column::DepTime, "dep_time"),
        (Column::SchedDepTime, "sched_dep_time"),
        (Column::DepDelay, "dep_delay"),
        (Column::ArrTime, "arr_time"),
        (Column::SchedArrTime, "sched_arr_time"),
        (Column::ArrDelay, "arr_delay"),
        (Column::Carrier, "carrier"),
        (Column::Flight, "flight"),
        (Column::TailNum, "tailnum"),
        (Column::Origin, "origin"),
        (Column::Dest, "dest"),
        (Column::AirTime, "air_time"),
        (Column::Distance, "distance"),
        (Column::TimeHour, "time_hour"),
    ];
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Column::ALL[*self as usize].1)
    }
}

/// Where a file has each column.
#[derive(Debug)]
pub(super) struct Header {
    positions: [usize; Column::ALL.len()],
    fields: usize,
}

/// Columns that a header lacks, or names twice.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WrongColumns {
    pub(super) missing: Vec<Column>,
    pub(super) repeated: Vec<Column>,
}

impl Header {
    /// Finds each column in a file's first row; other columns may be there too.
    ///
    /// # Errors
    ///
    /// When a column is not there, or is there twice.
    pub(super) fn find(record: &ByteRecord) -> Result<Self, WrongColumns> {
        let mut header = Header {
            positions: [0; Column::ALL.len()],
            fields: record.len(),
        };
        let mut wrong = WrongColumns {
            missing: Vec::new(),
            repeated: Vec::new(),
        };
        for (column, name) in Column::ALL {
            let mut found = record
                .iter()
                .enumerate()
                .filter(|(_, field)| field.trim_ascii() == name.as_bytes())
                .map(|(position, _)| position);
            match (found.next(), found.next()) {
                (Some(position), None) => header.positions[column as usize] = position,
                (Some(_), Some(_)) => wrong.repeated.push(column),
                (None, _) => wrong.missing.push(column),
            }
        }
        if wrong.missing.is_empty() && wrong.repeated.is_empty() {
            Ok(header)
        } else {
            Err(wrong)
        }
    }

    /// How many fields each row has.
    pub(super) fn fields(&self) -> usize {
        self.fields
    }

    /// Which field of a row holds the column.
    pub(super) fn position(&self, column: Column) -> usize {
        self.positions[column as usize]
    }
}

impl fmt::Display for WrongColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |columns: &[Column]| {
            let names: Vec<String> = columns.iter().map(ToString::to_string).collect();
            names.join(", ")
        };
        if !self.missing.is_empty() {
            write!(f, "its first line lacks {}", names(&self.missing))?;
        }
        if !self.missing.is_empty() && !self.repeated.is_empty() {
            f.write_str("; ")?;
        }
        if !self.repeated.is_empty() {
            write!(f, "its first line has twice {}", names(&self.repeated))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Column;

    #[test]
    fn the_table_of_names_is_in_the_order_of_the_variants() {
        for (position, (column, name)) in Column::ALL.into_iter().enumerate() {
            assert_eq!(column as usize, position);
            assert_eq!(column.to_string(), name);
        }
    }
}
