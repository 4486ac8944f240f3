//! Values of options, written as the directives of the web server take them.

use crate::settings::DEFAULT_TMP_SIZE;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wasm_runtime::run::Mount;

/// A year: far beyond any sense, far below any overflow.
const MAX_SECONDS: f64 = 365.0 * 24.0 * 3600.0;

/// `1.5`, `500ms`, `2min`, `1h`: at least a millisecond.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "mi" | "min" => 60.0,
        "h" => 3600.0,
        _ => f64::NAN,
    };
    let is_number = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds = digits.parse::<f64>().unwrap_or(f64::NAN) * unit;
    if !is_number || seconds.is_nan() {
        return Err(
            "must be a number of seconds, or a number with one of the units ms, s, min, h".into(),
        );
    }
    if !(0.001..=MAX_SECONDS).contains(&seconds) {
        return Err("must be from 1ms to a year".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// `65536`, `64K`, `256M`, `4G`: more than 0.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => u32::MAX,
    };
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse::<u64>().ok().filter(|_| is_number);
    let bytes = number.and_then(|number| number.checked_mul(1_u64.checked_shl(shift)?));
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or("must be a number of bytes above 0, with an optional K, M or G".into())
}

/// Bytes that a linear memory can have.
pub(crate) fn memory(text: &str) -> Result<u64, String> {
    bytes(text)
        .ok()
        .filter(|bytes| (64 << 10..=4 << 30).contains(bytes))
        .ok_or("must be a number of bytes from 64K to 4G".into())
}

/// A directory for temporary files: where the program finds it, and bytes that may be in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TmpDir {
    pub(crate) guest: String,
    pub(crate) size: u64,
}

/// Bytes that files may take.
pub(crate) fn file_space(text: &str) -> Result<u64, String> {
    bytes(text)
        .ok()
        .filter(|bytes| *bytes >= 64 << 10)
        .ok_or("must be a number of bytes, at least 64K".into())
}

/// `GUEST` or `GUEST=SIZE`.
pub(crate) fn tmp_dir(text: &str) -> Result<TmpDir, String> {
    let (guest, size) = text.split_once('=').unwrap_or((text, DEFAULT_TMP_SIZE));
    Ok(TmpDir {
        guest: guest_path(guest.as_bytes())?,
        size: file_space(size)?,
    })
}

/// `NAME=VALUE`, or `NAME` for a variable of this process.
pub(crate) fn variable(text: OsString) -> Result<(Vec<u8>, Vec<u8>), String> {
    let text = text.into_vec();
    let (name, value) = match text.iter().position(|byte| *byte == b'=') {
        Some(end) => (text[..end].to_vec(), text[end + 1..].to_vec()),
        None => {
            let own = std::env::var_os(OsStr::from_bytes(&text));
            let value = own.ok_or("there is no such variable to pass on")?;
            (text, value.into_vec())
        }
    };
    if name.is_empty() {
        return Err("the name of a variable is not empty".into());
    }
    Ok((name, value))
}

/// `GUEST=HOST`, `GUEST=HOST:ro` or `GUEST=HOST:rw`.
pub(crate) fn mount(text: OsString) -> Result<Mount, String> {
    let text = text.into_vec();
    let middle = text.iter().position(|byte| *byte == b'=');
    let middle = middle.ok_or("must be GUEST=HOST or GUEST=HOST:ro")?;
    let (guest, host) = (&text[..middle], &text[middle + 1..]);
    let (host, read_only) = match host {
        [host @ .., b':', b'r', b'o'] => (host, true),
        [host @ .., b':', b'r', b'w'] => (host, false),
        host => (host, false),
    };
    Ok(Mount {
        guest: guest_path(guest)?,
        host: host_path(host)?,
        read_only,
    })
}

/// Without empty and `.` parts and without a slash at the end.
fn guest_path(path: &[u8]) -> Result<String, String> {
    let path = std::str::from_utf8(path).map_err(|_| "the guest path is not UTF-8")?;
    if !path.starts_with('/') {
        return Err("the guest path must be absolute (start with /)".into());
    }
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    let parts: Vec<&str> = parts.collect();
    if parts.contains(&"..") {
        return Err("the guest path must not contain ..".into());
    }
    Ok(format!("/{}", parts.join("/")))
}

/// Absolute, and without `..`.
fn host_path(path: &[u8]) -> Result<Vec<u8>, String> {
    let path = Path::new(OsStr::from_bytes(path));
    let absolute = if path.components().any(|part| part.as_os_str() == "..") {
        path.canonicalize()
    } else {
        std::path::absolute(path)
    };
    let failed = |error| format!("the directory {}: {error}", path.display());
    Ok(PathBuf::into_os_string(absolute.map_err(failed)?).into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_in_a_configuration() {
        for (text, milliseconds) in [
            ("60", 60_000),
            ("0.5", 500),
            ("500ms", 500),
            ("1.5S", 1_500),
            ("2min", 120_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(
                duration(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for text in [
            "", "0", "-1", "1 s", "1d", "s", "1e3", "inf", "1..2", "0.1ms", "9999h",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_written_as_in_a_configuration() {
        for (text, size) in [
            ("1", 1),
            ("64k", 64 << 10),
            ("256M", 256 << 20),
            ("4G", 4 << 30),
        ] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for text in [
            "",
            "0",
            "0M",
            "-1",
            "+1",
            "1.5M",
            "1T",
            "1MB",
            "M",
            "99999999999G",
        ] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert!(memory("64K").is_ok() && memory("4G").is_ok());
        assert!(memory("65535").is_err() && memory("5G").is_err());
    }

    fn mounted(text: &str) -> Result<(String, String, bool), String> {
        let mount = mount(text.into())?;
        let host = String::from_utf8(mount.host).unwrap();
        Ok((mount.guest, host, mount.read_only))
    }

    #[test]
    fn a_mount_has_two_paths_and_a_mode() {
        let is = |guest: &str, host: &str, ro| Ok((guest.to_owned(), host.to_owned(), ro));
        assert_eq!(mounted("/=/srv"), is("/", "/srv", false));
        assert_eq!(
            mounted("//a/./b/=/srv/x=y:ro"),
            is("/a/b", "/srv/x=y", true)
        );
        assert_eq!(mounted("/a=/srv:ro:rw"), is("/a", "/srv:ro", false));
        assert_eq!(mounted("/a=/usr/bin/.."), is("/a", "/usr", false));
        let relative = mounted("/a=.").unwrap().1;
        assert_eq!(Path::new(&relative), std::env::current_dir().unwrap());
        for wrong in [
            "/a",
            "a=/srv",
            "=/srv",
            "/a/../b=/srv",
            "/a=",
            "/a=/no/such/..",
        ] {
            assert!(mounted(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_directory_for_temporary_files_has_a_size() {
        let is = |guest: &str, size| {
            let guest = guest.to_owned();
            Ok(TmpDir { guest, size })
        };
        assert_eq!(tmp_dir("/tmp/"), is("/tmp", 64 << 20));
        assert_eq!(tmp_dir("/a=64K"), is("/a", 64 << 10));
        for wrong in ["tmp", "/tmp=", "/tmp=1K", "=64K"] {
            assert!(tmp_dir(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_variable_has_a_name() {
        assert_eq!(
            variable("A=b=c".into()),
            Ok((b"A".to_vec(), b"b=c".to_vec()))
        );
        assert_eq!(variable("A=".into()), Ok((b"A".to_vec(), Vec::new())));
        assert_eq!(variable("PATH".into()).unwrap().0, b"PATH");
        for wrong in ["", "=b", "NO_SUCH_VARIABLE"] {
            assert!(variable(wrong.into()).is_err(), "{wrong}");
        }
    }
}
