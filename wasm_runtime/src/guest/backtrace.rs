//! The call stack of a guest that trapped, as lines for the log. All of it is the guest's wish: names are cut and cleaned, never
//! demangled, because a short mangled name can stand for gigabytes.

use crate::artifact::Places;
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use wasmtime::{FrameInfo, WasmBacktrace};

/// Innermost frames that are kept; the stack may be a hundred thousand deep.
pub(crate) const MAX_FRAMES: NonZeroUsize = NonZeroUsize::new(32).unwrap();

/// Bytes of a name that are shown.
const MAX_NAME: usize = 256;

/// One line for each frame, the innermost first. `places`: where the addresses of the code are in the module's file, if elsewhere.
pub(super) fn describe(trace: &WasmBacktrace, places: Option<&Places>) -> String {
    let frames = trace.frames();
    let mut lines = String::new();
    for ((index, frame), offset) in frames.iter().enumerate().zip(offsets(frames, places)) {
        let _ = writeln!(lines, "{}", line(index, frame, offset));
    }
    if frames.len() == MAX_FRAMES.get() {
        lines.push_str("deeper frames are left out\n");
    }
    if !frames.is_empty() && frames.iter().all(|frame| frame.func_name().is_none()) {
        lines.push_str("the module was stripped: it has no names of functions\n");
    }
    lines
}

/// Where each frame is in the module's file, if that is known.
fn offsets(frames: &[FrameInfo], places: Option<&Places>) -> Vec<Option<usize>> {
    let here = frames.iter().map(FrameInfo::module_offset);
    let Some(places) = places else {
        return here.collect();
    };
    // No piece begins before the file does.
    places.originals(&here.map(Option::unwrap_or_default).collect::<Vec<_>>())
}

fn line(index: usize, frame: &FrameInfo, offset: Option<usize>) -> String {
    let mut line = format!("{index}: ");
    if let Some(offset) = offset {
        let _ = write!(line, "{offset:#x} ");
    }
    match frame.func_name() {
        Some(name) => line.push_str(&shown(name)),
        None => {
            let _ = write!(line, "function {}", frame.func_index());
        }
    }
    // Known only where the administrator asked for it (WASMTIME_BACKTRACE_DETAILS).
    let place = frame.symbols().first();
    if let Some(symbol) = place
        && let Some(file) = symbol.file()
    {
        let _ = write!(line, " at {}:{}", shown(file), symbol.line().unwrap_or(0));
    }
    line
}

/// The beginning of a name, without characters that would end the line or move a terminal's cursor.
fn shown(name: &str) -> String {
    let end = name.floor_char_boundary(MAX_NAME);
    let mut text = name[..end].replace(char::is_control, "?");
    if end < name.len() {
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_and_stay_on_their_line() {
        assert_eq!(shown("f"), "f");
        assert_eq!(shown("a\nb\x1b[2J"), "a?b?[2J");
        let long = "\u{e9}".repeat(MAX_NAME);
        assert_eq!(shown(&long), "\u{e9}".repeat(MAX_NAME / 2) + "...");
    }
}
