//! Real rows, broken rows and headers.

use jiff::civil::{date, time};

use super::header::Column;
use super::{Arrival, BadRow, FlightsFile, FlightsFileError, Outcome, Row};

const REAL: &str = include_str!("../../data/flights-2013-01-01-to-03.csv");
const HEADER: &str = "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,\
                      arr_delay,carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,\
                      time_hour";
const GOOD: &str = "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,\
                    2013-01-01T10:00:00Z";

fn read(text: impl AsRef<[u8]>) -> Vec<Result<Row, BadRow>> {
    let file = FlightsFile::new(text.as_ref()).expect("the header is good");
    file.map(|row| row.expect("a slice can be read")).collect()
}

fn open_error(text: impl AsRef<[u8]>) -> FlightsFileError {
    FlightsFile::new(text.as_ref()).expect_err("the header is wrong")
}

/// The good row with other values in some columns.
fn row_with(changes: &[(&str, &str)]) -> String {
    let mut fields: Vec<&str> = GOOD.split(',').collect();
    for (column, value) in changes {
        let position = HEADER.split(',').position(|name| name == *column);
        fields[position.expect(column)] = value;
    }
    fields.join(",")
}

/// What is said about a row that follows a good one and precedes another.
fn complaint(row: &[u8]) -> String {
    let text = [HEADER.as_bytes(), GOOD.as_bytes(), row, GOOD.as_bytes()].join(&b'\n');
    let rows = read(text);
    assert_eq!(rows.len(), 3, "{}", String::from_utf8_lossy(row));
    assert!(rows[0].is_ok() && rows[2].is_ok(), "the rest goes on");
    match &rows[1] {
        Err(bad) => bad.to_string(),
        Ok(_) => "nothing".to_owned(),
    }
}

#[test]
fn every_real_row_is_read() {
    let rows = read(REAL);
    assert_eq!(rows.len(), 2_699);
    assert!(rows.iter().all(Result::is_ok));
}

#[test]
fn a_row_becomes_a_flight() {
    let row = read(REAL).swap_remove(0).unwrap();
    assert_eq!(row.line, 2);
    assert_eq!(row.date, date(2013, 1, 1));
    assert_eq!(row.departure_clock.hhmm(), "0515");
    assert_eq!(
        row.scheduled_departure,
        "2013-01-01T10:15Z".parse().unwrap()
    );
    assert_eq!(row.day_start(), "2013-01-01T05:00Z".parse().unwrap());
    assert_eq!(row.scheduled_arrival.time(), time(8, 19, 0, 0));
    assert_eq!((row.carrier.as_str(), row.flight_number), ("UA", 1545));
    assert_eq!(row.tail_number.as_deref(), Some("N14228"));
    assert_eq!(
        (row.origin.as_str(), row.destination.as_str()),
        ("EWR", "IAH")
    );
    assert_eq!(row.distance_miles, 1400);
    let Outcome::Departed {
        delay_minutes: 2,
        arrival: Some(arrival),
    } = row.outcome
    else {
        panic!("{:?}", row.outcome);
    };
    let Arrival {
        clock,
        delay_minutes,
        air_time_minutes,
    } = arrival;
    assert_eq!(clock.hhmm(), "0830");
    assert_eq!((delay_minutes, air_time_minutes), (Some(11), Some(227)));
}

#[test]
fn what_the_records_do_not_tell_is_absent() {
    const NEVER_LEFT: [(&str, &str); 5] = [
        ("dep_time", "NA"),
        ("dep_delay", "NA"),
        ("arr_time", "NA"),
        ("arr_delay", "NA"),
        ("air_time", "NA"),
    ];
    let outcome = |changes: &[(&str, &str)]| {
        let text = format!("{HEADER}\n{}\n", row_with(changes));
        read(text).swap_remove(0).unwrap().outcome
    };
    assert_eq!(outcome(&NEVER_LEFT), Outcome::Cancelled);
    let lost = outcome(&NEVER_LEFT[2..]);
    let never_arrived = Outcome::Departed {
        delay_minutes: 2,
        arrival: None,
    };
    assert_eq!(lost, never_arrived);
    let Outcome::Departed {
        arrival: Some(diverted),
        ..
    } = outcome(&NEVER_LEFT[3..])
    else {
        panic!("it arrived somewhere");
    };
    assert_eq!(diverted.delay_minutes, None);
    assert_eq!(diverted.air_time_minutes, None);

    let text = format!("{HEADER}\n{}\n", row_with(&[("tailnum", "NA")]));
    assert_eq!(read(text).swap_remove(0).unwrap().tail_number, None);
}

#[test]
fn the_day_may_end_at_2400_and_begin_at_0() {
    let changes = [("sched_arr_time", "2400"), ("arr_time", "2400")];
    let text = format!("{HEADER}\n{}\n", row_with(&changes));
    let row = read(text).swap_remove(0).unwrap();
    assert_eq!(row.scheduled_arrival.time(), time(0, 0, 0, 0));
    assert_eq!(row.scheduled_arrival.minutes(), 24 * 60);

    let changes = [
        ("sched_dep_time", "0"),
        ("time_hour", "2013-01-01T05:00:00Z"),
    ];
    let text = format!("{HEADER}\n{}\n", row_with(&changes));
    let row = read(text).swap_remove(0).unwrap();
    assert_eq!(row.day_start(), row.scheduled_departure);
}

#[test]
fn a_broken_field_is_named_with_the_reason() {
    let range = |column, value, range| {
        (
            column,
            value,
            format!("column {column}: {value} is outside {range}"),
        )
    };
    let cases = [
        range("year", "1", "1903 to 2999"),
        range("year", "30000", "1903 to 2999"),
        range("month", "13", "1 to 12"),
        range("day", "0", "1 to 31"),
        range("flight", "0", "1 to 9999"),
        range("flight", "10000", "1 to 9999"),
        range("distance", "-1", "0 to 12500"),
        range("air_time", "0", "1 to 1440"),
        range("dep_delay", "14401", "-1440 to 14400"),
        range("arr_delay", "-1441", "-1440 to 14400"),
        range("day", "9223372036854775807", "1 to 31"),
    ]
    .into_iter()
    .chain(
        [
            ("day", "1.5", "column day: \"1.5\" is no whole number"),
            ("day", "99999999999999999999", "is no whole number"),
            (
                "dep_delay",
                "late",
                "column dep_delay: \"late\" is no whole number",
            ),
            ("distance", "0x10", "is no whole number"),
            ("arr_time", "2401", "column arr_time: \"2401\" is no time"),
            ("dep_time", "1260", "column dep_time: \"1260\" is no time"),
            (
                "sched_dep_time",
                "5:15",
                "column sched_dep_time: \"5:15\" is no time",
            ),
            ("sched_arr_time", "-1", "\"-1\" is no time"),
            ("sched_arr_time", "99999", "\"99999\" is no time"),
            (
                "sched_arr_time",
                "NA",
                "column sched_arr_time: NA, but every flight",
            ),
            ("carrier", "NA", "column carrier: NA, but every flight"),
            ("carrier", "", "column carrier: empty"),
            (
                "carrier",
                "UAL",
                "column carrier: \"UAL\" is no airline code",
            ),
            ("carrier", "ua", "\"ua\" is no airline code"),
            ("origin", "NYC1", "\"NYC1\" is no airport code"),
            (
                "dest",
                "\u{1b}[2",
                "\"\\u{1b}[2\" is no airport code like IAH",
            ),
            ("dest", "ÜÜÜ", "\"ÜÜÜ\" is no airport code"),
            ("tailnum", "N1 4228", "\"N1 4228\" is no registration"),
            ("time_hour", "2013-01-01 05:00", "is no instant in UTC"),
            ("time_hour", "NA", "column time_hour: NA, but every flight"),
            ("time_hour", "2013-01-02T10:00:00Z", "in no time zone"),
            ("time_hour", "2013-01-01T10:10:00Z", "in no time zone"),
            ("time_hour", "9999-12-30T22:00:00Z", "in no time zone"),
            ("time_hour", "-009999-01-02T02:00:00Z", "in no time zone"),
            (
                "dep_delay",
                "NA",
                "column dep_delay: NA, although dep_time has a value",
            ),
        ]
        .map(|(column, value, reason)| (column, value, reason.to_owned())),
    );
    for (column, value, reason) in cases {
        let said = complaint(row_with(&[(column, value)]).as_bytes());
        assert!(said.starts_with("line 3: "), "{column} {value}: {said}");
        assert!(said.contains(&reason), "{column} {value}: {said}");
        assert!(said.contains(&format!("column {column}: ")), "{said}");
    }
}

#[test]
fn fields_that_contradict_each_other_are_named() {
    let cases = [
        (
            row_with(&[("month", "2"), ("day", "30")]),
            "column day: 2013-02 has no day 30",
        ),
        (
            row_with(&[("dep_time", "NA")]),
            "column dep_delay: has a value, although dep_time is NA",
        ),
        (
            row_with(&[("dep_time", "NA"), ("dep_delay", "NA")]),
            "column arr_time: has a value, although dep_time is NA",
        ),
        (
            row_with(&[
                ("dep_time", "NA"),
                ("dep_delay", "NA"),
                ("arr_time", "NA"),
                ("arr_delay", "NA"),
            ]),
            "column air_time: has a value, although dep_time is NA",
        ),
        (
            row_with(&[("arr_time", "NA")]),
            "column arr_delay: has a value, although arr_time is NA",
        ),
        (
            row_with(&[("arr_time", "NA"), ("arr_delay", "NA")]),
            "column air_time: has a value, although arr_time is NA",
        ),
    ];
    for (row, reason) in cases {
        assert_eq!(complaint(row.as_bytes()), format!("line 3: {reason}"));
    }
}

#[test]
fn a_row_of_another_shape_is_reported_and_the_rest_goes_on() {
    let of_19 = "fields where the header has 19";
    assert_eq!(complaint(b"nonsense"), format!("line 3: 1 {of_19}"));
    let longer = format!("{GOOD},more");
    assert_eq!(complaint(longer.as_bytes()), format!("line 3: 20 {of_19}"));
    let shorter = GOOD.rsplit_once(',').unwrap().0;
    assert_eq!(complaint(shorter.as_bytes()), format!("line 3: 18 {of_19}"));
    let unclosed = GOOD.replace("N14228", "\"N14228");
    assert_eq!(
        complaint(unclosed.as_bytes()),
        format!("line 3: 12 {of_19}")
    );
    let long = GOOD.replace("N14228", &"N".repeat(1_000_000));
    assert_eq!(
        complaint(long.as_bytes()),
        "line 3: longer than 16384 bytes, which no flight is"
    );
    let two_lines = GOOD.replace("N14228", "N14\r228");
    assert!(complaint(two_lines.as_bytes()).contains(r#"column tailnum: "N14\r228" is no"#));
    assert!(complaint(HEADER.as_bytes()).contains(r#"column year: "year" is no whole number"#));
}

#[test]
fn bytes_that_are_no_text_are_reported_and_the_rest_goes_on() {
    let mut row = GOOD.as_bytes().to_vec();
    let position = GOOD.find("UA").unwrap();
    row[position] = 0xff;
    assert_eq!(complaint(&row), "line 3: column carrier: not valid UTF-8");
    row.fill(0);
    assert!(complaint(&row).starts_with("line 3: 1 fields"));
}

#[test]
fn a_long_value_is_quoted_in_part() {
    let said = complaint(row_with(&[("day", &"ä".repeat(1_000))]).as_bytes());
    assert_eq!(
        said,
        format!(
            "line 3: column day: \"{}…\" is no whole number",
            "ä".repeat(40)
        )
    );
}

#[test]
fn other_programs_write_the_same_rows_differently() {
    let expected = read(format!("{HEADER}\n{GOOD}\n"));
    assert!(expected[0].is_ok());
    let quoted = |line: &str| format!("\"{}\"", line.replace(',', "\",\""));
    for text in [
        format!("\u{feff}{HEADER}\r\n{GOOD}\r\n"),
        format!("{HEADER}\n{GOOD}"),
        format!("{}\n{}\n", quoted(HEADER), quoted(GOOD)),
        format!(
            "{}\n{}\n",
            HEADER.replace(',', " , "),
            GOOD.replace(',', " , ")
        ),
    ] {
        assert_eq!(read(&text), expected, "{text}");
    }
    // blank lines are no rows, but they are counted
    let rows = read(format!("{HEADER}\n\n  \n{GOOD}\n\n"));
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].as_ref().unwrap().line, 4);
}

#[test]
fn columns_may_stand_in_any_order_among_others() {
    let reversed = |line: &str, name: &str| {
        let mut fields: Vec<&str> = line.split(',').rev().collect();
        fields.insert(3, name);
        fields.join(",")
    };
    let text = format!("{}\n{}\n", reversed(HEADER, "note"), reversed(GOOD, "x"));
    assert_eq!(read(text), read(format!("{HEADER}\n{GOOD}\n")));
}

#[test]
fn a_wrong_header_is_one_error_that_names_the_columns() {
    let text = format!("{}\n{GOOD}\n", HEADER.replace("dep_delay", "delay"));
    let error = open_error(&text).to_string();
    assert!(error.contains("its first line lacks dep_delay;"), "{error}");

    let names: Vec<String> = [Column::Year, Column::TimeHour]
        .map(|column| column.to_string())
        .into();
    let text = HEADER.replace("year", "Year").replace("time_hour", "");
    let error = open_error(&text).to_string();
    assert!(error.contains(&names.join(", ")), "{error}");

    let error = open_error(format!("{HEADER},origin,origin\n")).to_string();
    assert!(error.contains("has twice origin;"), "{error}");

    let error = open_error(GOOD).to_string();
    assert!(error.contains("lacks year, month, day,"), "{error}");
    let error = open_error("x".repeat(100_000)).to_string();
    assert!(error.contains("longer than 16384 bytes"), "{error}");
    let error = open_error(b"\xff\xfe\0\0").to_string();
    assert!(error.contains("lacks year"), "{error}");
    assert!(matches!(open_error(""), FlightsFileError::NoHeader));
    let missing = FlightsFile::open("no/such/file".as_ref());
    assert!(matches!(missing, Err(FlightsFileError::Open(_))));
    assert!(read(HEADER).is_empty());
}
