//! Where the sandbox answers otherwise than the host by design, and why.

/// Operations of which one reason holds, each with the sandbox's answer.
pub(crate) struct Exceptions {
    pub(crate) reason: &'static str,
    pub(crate) answers: &'static [(&'static str, &'static str)],
}

pub(crate) const ALL: &[Exceptions] = &[];
