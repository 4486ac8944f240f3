//! What the compiler uses of this machine's processor. Asked in the compiler's own way, but without an engine, which the
//! parent of a web server must not have.

use cranelift_codegen::settings::{Configurable, SetResult};

/// The compiler's names of the features that it finds here, in its order.
pub(super) fn features() -> Vec<String> {
    let mut recorder = Recorder::default();
    // A processor that it cannot compile for has no code that could be mistaken for another's.
    let _ = cranelift_native::infer_native_flags(&mut recorder);
    recorder.0
}

/// Stands where the compiler's settings would be filled in.
#[derive(Default)]
struct Recorder(Vec<String>);

impl Configurable for Recorder {
    fn set(&mut self, name: &str, value: &str) -> SetResult<()> {
        self.0.push(format!("{name}={value}"));
        Ok(())
    }

    fn enable(&mut self, name: &str) -> SetResult<()> {
        self.0.push(name.to_owned());
        Ok(())
    }
}
