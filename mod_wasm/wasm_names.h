/*
 * The names of the directives, for the tables that define them and for the messages that mention them.
 */
#ifndef WASM_NAMES_H
#define WASM_NAMES_H

#define WASM_NAME_MODULE         "WasmModule"
#define WASM_NAME_MODULE_DIGEST  "WasmModuleDigest"
#define WASM_NAME_ENTRY_POINT    "WasmEntryPoint"
#define WASM_NAME_ARG            "WasmArg"
#define WASM_NAME_ENV            "WasmEnv"
#define WASM_NAME_DIR            "WasmDir"
#define WASM_NAME_MAP_DIR        "WasmMapDir"
#define WASM_NAME_ENABLE_CGI     "WasmEnableCGI"
#define WASM_NAME_IGNORE_CLIENT  "WasmIgnoreClientAbort"
#define WASM_NAME_MAP_FILE_NAMES "WasmMapCGIFileNames"
#define WASM_NAME_SCRIPT_ARG     "WasmScriptArg"
#define WASM_NAME_ALLOW_SYMLINKS "WasmAllowSymlinks"
#define WASM_NAME_FILE_LIMIT     "WasmFileLimit"
#define WASM_NAME_TIMEOUT        "WasmTimeout"
#define WASM_NAME_MEMORY_LIMIT   "WasmMemoryLimit"
#define WASM_NAME_CPU_LIMIT      "WasmCPULimit"
#define WASM_NAME_OUTPUT_LIMIT   "WasmOutputLimit"
#define WASM_NAME_ERROR_LIMIT    "WasmErrorLogLimit"
#define WASM_NAME_WRITE_LIMIT    "WasmWriteLimit"
#define WASM_NAME_TMP_DIR        "WasmTmpDir"
#define WASM_NAME_MAX_INSTANCES  "WasmMaxInstances"
#define WASM_NAME_QUEUE_TIMEOUT  "WasmQueueTimeout"
#define WASM_NAME_PREINIT        "WasmPreinit"
#define WASM_NAME_PREINIT_ENV    "WasmPreinitEnv"
#define WASM_NAME_PREINIT_TIME   "WasmPreinitTimeout"
#define WASM_NAME_CACHE_DIR      "WasmCacheDir"
#define WASM_NAME_SCRATCH_DIR    "WasmScratchDir"

/* What httpd is given with -D. */
#define WASM_NAME_DUMP           "DUMP_WASM"

#endif
