# shellcheck shell=bash
# Sizes a server after the memory and the processors that it may use, those of its container where it has one: sourced
# after lib.sh, never run.
# Environment: MOD_WASM_INSTANCES, MOD_WASM_THREADS (what is set is taken as it is)

# MiB that a run can use at most (WasmMemoryLimit in apps/httpd.conf; demos with more than that have the rest in their
# snapshots, which runs share), and what httpd, compiled code and snapshots need: those of the demos take 400.
readonly RUN_MIB=128 BASE_MIB=512

# Where the kernel tells limits; a test puts files of its own here.
CGROUP_FOLDER=${CGROUP_FOLDER:-/sys/fs/cgroup}

# first_number FILE...: what the first readable file says, where that is a number ("max" and -1 mean no limit).
first_number() {
    local file value
    for file in "$@"; do
        [[ -r $CGROUP_FOLDER/$file ]] || continue
        read -r value _ <"$CGROUP_FOLDER/$file"
        [[ ! $value =~ ^[0-9]+$ ]] || printf '%s\n' "$value"
        return
    done
}

# Control groups of version 2, then of version 1, which says "no limit" with a huge number.
memory_mib() {
    local total limit
    total=$(awk '$1 == "MemTotal:" {print int($2 / 1024)}' /proc/meminfo)
    limit=$(first_number memory.max memory/memory.limit_in_bytes)
    if [[ -n $limit && $((limit >> 20)) -lt $total ]]; then total=$((limit >> 20)); fi
    printf '%s\n' "$total"
}

# Processors, rounded up.
processors() {
    local count quota='' period
    count=$(nproc)
    if [[ -r $CGROUP_FOLDER/cpu.max ]]; then
        read -r quota period <"$CGROUP_FOLDER/cpu.max"
    else
        quota=$(first_number cpu/cpu.cfs_quota_us)
        period=$(first_number cpu/cpu.cfs_period_us)
    fi
    if [[ $quota =~ ^[0-9]+$ ]]; then
        quota=$(((quota + period - 1) / period))
        [[ $quota -ge $count ]] || count=$quota
    fi
    printf '%s\n' "$count"
}

# require_number NAME LOWEST HIGHEST: the variable NAME holds a number between these.
require_number() {
    [[ ${!1} =~ ^[1-9][0-9]{0,4}$ && ${!1} -ge $2 && ${!1} -le $3 ]] || die "$1=${!1} is not a number from $2 to $3"
}

# Sets MOD_WASM_INSTANCES, concurrent runs: as many as fit into the memory even when each uses all that it may, and at
# most eight for a processor, since some wait. Sets MOD_WASM_THREADS: requests that wait for a place keep a thread, and
# static files want some besides.
set_limits() {
    local memory by_memory by_processors
    memory=$(memory_mib)
    by_memory=$(((memory - BASE_MIB) / RUN_MIB))
    by_processors=$(($(processors) * 8))
    : "${MOD_WASM_INSTANCES:=$((by_memory < 1 ? 1 : by_memory < by_processors ? by_memory : by_processors))}"
    require_number MOD_WASM_INSTANCES 1 1000
    : "${MOD_WASM_THREADS:=$((MOD_WASM_INSTANCES < 8 ? 32 : MOD_WASM_INSTANCES * 4))}"
    require_number MOD_WASM_THREADS 1 10000
}
