//! One-line description of machine and compiler.

use std::process::Command;
use std::{env, fs, thread};

use anyhow::Result;

use crate::process::output;
use crate::toolchain;

/// The processor, its cores, the memory and the compiler, to stand above pasted figures.
pub(crate) fn line() -> Result<String> {
    let cores = thread::available_parallelism()?;
    let memory = memory_bytes().map_or("memory unknown".to_owned(), gibibytes);
    Ok(format!(
        "{}; {cores} cores; {memory}; {} {}; {}",
        processor().unwrap_or_else(|| "processor unknown".to_owned()),
        env::consts::OS,
        env::consts::ARCH,
        toolchain::description()?,
    ))
}

fn processor() -> Option<String> {
    match env::consts::OS {
        "linux" => field(&fs::read_to_string("/proc/cpuinfo").ok()?, "model name"),
        "macos" => sysctl("machdep.cpu.brand_string"),
        _ => None,
    }
}

fn memory_bytes() -> Option<u64> {
    match env::consts::OS {
        "linux" => {
            let total = field(&fs::read_to_string("/proc/meminfo").ok()?, "MemTotal")?;
            let kibibytes: u64 = total.strip_suffix(" kB")?.parse().ok()?;
            Some(kibibytes * 1024)
        }
        "macos" => sysctl("hw.memsize")?.parse().ok(),
        _ => None,
    }
}

fn sysctl(name: &str) -> Option<String> {
    let value = output(Command::new("sysctl").args(["-n", name])).ok()?;
    Some(value.trim().to_owned())
}

/// The first value of `name` in the `name : value` lines of a `/proc` file.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().to_owned())
}

/// Rounded to whole gibibytes: what the kernel keeps for itself is not what a reader asks for.
fn gibibytes(bytes: u64) -> String {
    const GIBIBYTE: u64 = 1 << 30;
    format!("{} GiB memory", (bytes + GIBIBYTE / 2) / GIBIBYTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_proc_is_found_by_its_whole_name() {
        let cpuinfo = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: A CPU @ 2.00GHz\n\
                       model name\t: Another\n";
        assert_eq!(field(cpuinfo, "model name").unwrap(), "A CPU @ 2.00GHz");
        assert_eq!(field(cpuinfo, "name"), None);
    }

    #[test]
    fn memory_is_rounded_to_whole_gibibytes() {
        assert_eq!(gibibytes(24_689_590_272), "23 GiB memory");
        assert_eq!(gibibytes(8 << 30), "8 GiB memory");
    }

    #[test]
    fn the_line_names_this_compiler() {
        let line = line().unwrap();
        assert!(line.contains("; rustc 1."), "{line}");
    }
}
