/* Large input and output through the callbacks, and what their results do to a run. The guest copies its input. */
#include "check.h"

#define TOTAL (8 << 20)

struct transfer {
    size_t sent;
    size_t received;
    size_t writes;
    size_t flushes;
    int64_t read_result;
    int64_t write_result;
};

static int64_t give(void *context, uint8_t *buffer, size_t len, uint64_t timeout_ms)
{
    struct transfer *transfer = context;
    size_t left = TOTAL - transfer->sent;
    CHECK(timeout_ms <= 60000);
    if (transfer->read_result < 0)
        return transfer->read_result;
    if (timeout_ms == 0)
        return WRT_IO_TIMEOUT;
    if (len > left)
        len = left;
    for (size_t i = 0; i < len; i++)
        buffer[i] = (uint8_t)((transfer->sent + i) % 251);
    transfer->sent += len;
    return (int64_t)len;
}

static void compare(struct transfer *transfer, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        CHECK(data[i] == (transfer->received + i) % 251);
    transfer->received += len;
}

static int64_t take(void *context, const uint8_t *data, size_t len, bool flush, uint64_t timeout_ms)
{
    struct transfer *transfer = context;
    (void)timeout_ms;
    if (transfer->write_result < 0)
        return transfer->write_result;
    compare(transfer, data, len);
    transfer->writes++;
    transfer->flushes += flush;
    return 0;
}

static wrt_outcome_kind run(struct guest *guest, struct transfer *transfer)
{
    wrt_run_options options = {
        .struct_size = sizeof options,
        .limits = {.time_ms = 60000},
        .callbacks = {.context = transfer, .read = give, .write = take},
    };
    wrt_outcome outcome = {.struct_size = sizeof outcome};
    wrt_run *run;
    MUST(wrt_run_new(guest->module, &options, &run));
    MUST(wrt_run_execute(run, &outcome));
    if (outcome.kind == WRT_OUTCOME_EXITED)
        compare(transfer, (const uint8_t *)outcome.tail.data, outcome.tail.len);
    wrt_run_free(run);
    return outcome.kind;
}

static wrt_outcome_kind run_failing(struct guest *guest, int64_t read_result, int64_t write_result)
{
    struct transfer transfer = {.read_result = read_result, .write_result = write_result};
    return run(guest, &transfer);
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    struct guest guest = load(argv);
    struct transfer transfer = {0};

    CHECK(run(&guest, &transfer) == WRT_OUTCOME_EXITED);
    CHECK(transfer.received == TOTAL);
    CHECK(transfer.writes > 1);
    /* The output waited for is shown before each read that would block. */
    CHECK(transfer.flushes > 1);

    CHECK(run_failing(&guest, WRT_IO_TIMEOUT, 0) == WRT_OUTCOME_LIMIT);
    CHECK(run_failing(&guest, WRT_IO_GONE, 0) == WRT_OUTCOME_CLIENT_GONE);
    CHECK(run_failing(&guest, WRT_IO_TOO_LARGE, 0) == WRT_OUTCOME_BODY_TOO_LARGE);
    CHECK(run_failing(&guest, WRT_IO_FAILED, 0) == WRT_OUTCOME_IO_FAILED);
    CHECK(run_failing(&guest, 0, WRT_IO_GONE) == WRT_OUTCOME_CLIENT_GONE);
    CHECK(run_failing(&guest, 0, WRT_IO_FAILED) == WRT_OUTCOME_IO_FAILED);

    unload(&guest);
    puts("stream: ok");
    return 0;
}
