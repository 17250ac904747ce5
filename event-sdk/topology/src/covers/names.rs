//! Names of streams, consumers, dead-letter streams and the bucket, while compiling.

use event_sdk::__private::fail;
use event_sdk::stream::check_name;
use event_sdk::subject::grammar::covers;
use event_sdk::transport::BucketConfig;

use super::constant;
use crate::durable::DurableSpec;
use crate::topology::Topology;

/// Whether two names are the same. They have no wildcards, so one matches only itself.
pub(super) const fn same(one: &str, other: &str) -> bool {
    covers(one, other) && one.len() == other.len()
}

/// Checks the name of a stream.
#[track_caller]
pub(super) const fn check_stream(name: &str) {
    if let Err(why) = check_name(name) {
        fail(&["no stream can have the name `", name, "`: ", why]);
    }
}

/// Checks that two streams have different names.
#[track_caller]
pub(super) const fn differ(before: &str, name: &str) {
    if same(before, name) {
        fail(&[
            "the stream `",
            name,
            "` is declared twice; give one of them another name",
        ]);
    }
}

/// Checks the name of a consumer, and those of the durables of its partitions.
#[track_caller]
pub(super) const fn check_consumer(consumer: &DurableSpec) {
    if let Err(why) = check_name(consumer.name) {
        fail(&["no consumer can have the name `", consumer.name, "`: ", why]);
    }
    // `-p` and a number of up to ten digits.
    if consumer.partitions.is_some() && consumer.name.len() > 255 - 12 {
        fail(&[
            "the name of the consumer `",
            consumer.name,
            "` is too long: the durables of its partitions have twelve more bytes, and at most 255",
        ]);
    }
}

/// Checks the names of dead-letter streams and their retry streams.
#[track_caller]
pub(super) const fn check_dead_letters(topology: &Topology) {
    let all = topology.dead_letters;
    let mut index = 0;
    while index < all.len() {
        let own = [all[index].name, all[index].retry];
        check_stream(own[0]);
        check_stream(own[1]);
        differ(own[0], own[1]);
        let mut at = 0;
        while at < topology.streams.len() {
            differ(constant(&topology.streams[at]).0, own[0]);
            differ(constant(&topology.streams[at]).0, own[1]);
            at += 1;
        }
        let mut before = 0;
        while before < index {
            let others = [all[before].name, all[before].retry];
            differ(others[0], own[0]);
            differ(others[0], own[1]);
            differ(others[1], own[0]);
            differ(others[1], own[1]);
            before += 1;
        }
        index += 1;
    }
}

/// Checks the name of a bucket.
#[track_caller]
pub(super) const fn check_bucket(bucket: &BucketConfig) {
    let Some(name) = bucket.name.as_static() else {
        fail(&["the name of the bucket is no constant; declare it with `BucketConfig::constant`"])
    };
    if let Err(why) = check_name(name) {
        fail(&["no bucket can have the name `", name, "`: ", why]);
    }
    if name.len() > BucketConfig::MAX_NAME_LEN {
        fail(&[
            "no bucket can have the name `",
            name,
            "`: its stream `KV_<name>` would have more than 255 bytes",
        ]);
    }
}
