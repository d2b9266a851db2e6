//! The fuzz targets on any toolchain: what once failed, every seed, and a fixed number of mutations of them.
//!
//! The seeds are what `fuzz/seeds.py` wrote into .cache/fuzz, as `make test-rust` has it do; without them the mutations
//! start from an empty input and from what once failed. Mutations are the same in every run. Coverage-guided fuzzing, which
//! goes much further, is `make fuzz`.

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::path::{Path, PathBuf};

use fuzz::messages::{Chance, mutate, mutate_bytes};
use fuzz::{TARGETS, Target};

/// Inputs of a target that are made of its seeds.
const MUTATIONS: usize = 400;

/// Mutations of a seed, each on top of the one before.
const DEEP: usize = 4;

/// Bytes of an input.
const LONGEST: usize = 4_096;

/// Bytes of a capture that is a seed: larger ones have more of the same.
const LONGEST_CAPTURE: usize = 1 << 16;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a folder in the order of their names; none where there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}

/// What once failed.
fn regressions(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regressions").join(target.name);
    files(&folder).iter().map(|path| fs::read(path).unwrap()).collect()
}

fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let folder = match target.form {
        Some(_) => root().join(".cache/fuzz").join(target.name).join("seeds"),
        None => root().join("pcaps"),
    };
    let longest = if target.form.is_some() { LONGEST } else { LONGEST_CAPTURE };
    let read = |path: &PathBuf| {
        let mut bytes = fs::read(path).unwrap();
        bytes.truncate(longest);
        bytes
    };
    files(&folder).iter().map(read).collect()
}

/// Keeps the input that a target fails with.
struct Running<'a>(&'a Target, &'a [u8]);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let folder = root().join(".cache/fuzz").join(self.0.name).join("crashes");
            let path = folder.join("smoke");
            if fs::create_dir_all(&folder).and_then(|()| fs::write(&path, self.1)).is_ok() {
                eprintln!("the target {} failed with the input {}", self.0.name, path.display());
            }
        }
    }
}

fn run(target: &Target, input: &[u8]) {
    let _running = Running(target, input);
    (target.run)(input);
}

fn mutated(target: &Target, input: &mut Vec<u8>, chance: &mut Chance) {
    let size = input.len();
    input.resize(size.max(LONGEST), 0);
    let seed = chance.next() as u32;
    let most = input.len();
    let mut bytes = |data: &mut [u8], size: usize, most: usize| mutate_bytes(chance, data, size, most);
    let size = match target.form {
        Some(form) => mutate(input, size, most, seed, form, &mut bytes),
        None => bytes(input, size, most),
    };
    input.truncate(size);
}

fn smoke(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let mut inputs = regressions(target);
    inputs.extend(seeds(target));
    inputs.push(Vec::new());
    inputs.iter().for_each(|input| run(target, input));
    let mut chance = Chance(name.len() as u64);
    for turn in 0..MUTATIONS / DEEP {
        let mut input = inputs[turn % inputs.len()].clone();
        for _ in 0..DEEP {
            mutated(target, &mut input, &mut chance);
            run(target, &input);
        }
    }
}

macro_rules! smoke {
    ($($name:ident,)+) => {
        $(#[test] fn $name() { smoke(stringify!($name)); })+

        #[test]
        fn every_target_is_here() {
            assert_eq!([$(stringify!($name)),+], TARGETS.map(|target| target.name));
        }
    };
}

smoke! { capture, datagrams, frames, layer2, link, modbus, mqtt, opcua, operations, services, tcp, }

#[test]
fn regressions_belong_to_targets() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regressions");
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(TARGETS.iter().any(|target| *target.name == *name), "{name:?}");
    }
}
