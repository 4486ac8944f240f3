//! `args_*` and `environ_*`.

use super::{Answer, Call};
use crate::host::abi::Errno;
use crate::host::memory::Memory;
use crate::host::strings::StringList;

impl Call<'_> {
    pub(in crate::host) fn args_get(&mut self, pointers: u32, bytes: u32) -> Answer {
        Ok(write(
            &mut self.memory,
            &self.sandbox.args,
            pointers,
            bytes,
        )?)
    }

    pub(in crate::host) fn args_sizes_get(&mut self, count: u32, size: u32) -> Answer {
        Ok(write_sizes(
            &mut self.memory,
            &self.sandbox.args,
            count,
            size,
        )?)
    }

    pub(in crate::host) fn environ_get(&mut self, pointers: u32, bytes: u32) -> Answer {
        Ok(write(&mut self.memory, &self.sandbox.env, pointers, bytes)?)
    }

    pub(in crate::host) fn environ_sizes_get(&mut self, count: u32, size: u32) -> Answer {
        Ok(write_sizes(
            &mut self.memory,
            &self.sandbox.env,
            count,
            size,
        )?)
    }
}

fn write_sizes(
    memory: &mut Memory<'_>,
    list: &StringList,
    count: u32,
    size: u32,
) -> Result<(), Errno> {
    memory.write_u32(count, to_u32(list.count())?)?;
    memory.write_u32(size, to_u32(list.bytes().len())?)
}

fn write(
    memory: &mut Memory<'_>,
    list: &StringList,
    mut pointer: u32,
    bytes: u32,
) -> Result<(), Errno> {
    memory.write(bytes, list.bytes())?;
    for start in list.starts() {
        // Within the memory, as all of the bytes are.
        memory.write_u32(pointer, bytes + to_u32(*start)?)?;
        pointer = pointer.checked_add(4).ok_or(Errno::FAULT)?;
    }
    Ok(())
}

fn to_u32(value: usize) -> Result<u32, Errno> {
    u32::try_from(value).map_err(|_| Errno::OVERFLOW)
}
