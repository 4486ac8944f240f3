/*
 * The stable codes of every line this module writes to the error log. docs/errors.md has a section for each: cause, outcome, and
 * what the operator does. A code is never given a second meaning; a code that is no longer used is not given out again.
 */
#ifndef WASM_CODES_H
#define WASM_CODES_H

/* Configuration: these stop configtest and start-up. */
#define WASM_CODE_UNREADABLE      "WASM0001" /* the module file cannot be read */
#define WASM_CODE_DIGEST          "WASM0002" /* the module file differs from WasmModuleDigest */
#define WASM_CODE_INVALID         "WASM0003" /* not WebAssembly, invalid, or with imports nobody provides */
#define WASM_CODE_COMPILE         "WASM0004" /* the helper program could not compile it */
#define WASM_CODE_ENTRY_POINT     "WASM0005" /* no such exported function */
#define WASM_CODE_CACHE           "WASM0006" /* the cache directory is not trustworthy */
#define WASM_CODE_DIGEST_ALONE    "WASM0007" /* WasmModuleDigest without WasmModule in its section */
#define WASM_CODE_STACK           "WASM0008" /* thread stacks are too small */
#define WASM_CODE_VERSION         "WASM0009" /* module and library are of different versions */
#define WASM_CODE_PREPARE         "WASM0010" /* any other failure of the library at start */
#define WASM_CODE_MOUNTS          "WASM0011" /* a read-only mount lies in a writable one of its section */
#define WASM_CODE_SCRATCH         "WASM0012" /* scratch directories cannot be as configured */
#define WASM_CODE_PREINIT         "WASM0013" /* WasmPreinit On, and there can be no snapshot */

/* Start: notices. */
#define WASM_CODE_COMPILED        "WASM0020" /* a module was compiled */
#define WASM_CODE_FROM_CACHE      "WASM0021" /* a module came from the cache */
#define WASM_CODE_CACHE_WARNING   "WASM0022" /* the cache could not be used as wished */
#define WASM_CODE_COMPILED_AGAIN  "WASM0023" /* a module was compiled again, because a child could not load its code */
#define WASM_CODE_COMPILING       "WASM0024" /* a module is being compiled */
#define WASM_CODE_SNAPSHOT        "WASM0025" /* a snapshot of a module is being taken */
#define WASM_CODE_NO_SNAPSHOT     "WASM0026" /* a module runs without a snapshot, because none could be taken */
#define WASM_CODE_SNAPSHOT_SAID   "WASM0027" /* what an initialiser printed */

/* Serving child: start. */
#define WASM_CODE_CHILD_ENGINE    "WASM0030" /* a child has no engine */
#define WASM_CODE_CHILD_MODULE    "WASM0031" /* a child could not load a module */
#define WASM_CODE_CHILD_WARNING   "WASM0032" /* the engine runs with restrictions */
#define WASM_CODE_CHILD_FILES     "WASM0033" /* runs get fewer descriptors than WasmFileLimit */
#define WASM_CODE_CHILD_NOTE      "WASM0034" /* this machine lacks what the engine could use */

/* Requests that never reach the program. */
#define WASM_CODE_NO_MODULE       "WASM0040" /* handler without WasmModule */
#define WASM_CODE_NOT_LOADED      "WASM0041" /* the module is not loaded in this child */
#define WASM_CODE_NO_FILE         "WASM0042" /* the requested file does not exist */
#define WASM_CODE_DIRECTORY       "WASM0043" /* the requested file is a directory */
#define WASM_CODE_PATH_INFO       "WASM0044" /* AcceptPathInfo Off */
#define WASM_CODE_NPH             "WASM0045" /* nph- scripts are not supported */
#define WASM_CODE_SCRIPT_UNMAPPED "WASM0046" /* WasmScriptArg On, and the script lies in no mount */
#define WASM_CODE_MERGED_MOUNTS   "WASM0047" /* as WASM0011, of sections that were merged */

/* Runs. */
#define WASM_CODE_TRAPPED         "WASM0050"
#define WASM_CODE_DEADLINE        "WASM0051"
#define WASM_CODE_QUEUE           "WASM0052"
#define WASM_CODE_STOPPED         "WASM0053"
#define WASM_CODE_CLIENT_GONE     "WASM0054"
#define WASM_CODE_BODY_TOO_LARGE  "WASM0055"
#define WASM_CODE_BAD_HEADERS     "WASM0056" /* the CGI header block was refused */
#define WASM_CODE_NO_HEADERS      "WASM0057" /* the program ended before its header block did */
#define WASM_CODE_MEMORY          "WASM0058"
#define WASM_CODE_MOUNT           "WASM0059"
#define WASM_CODE_RUN_ENTRY_POINT "WASM0060"
#define WASM_CODE_START           "WASM0061"
#define WASM_CODE_EXIT            "WASM0062" /* non-zero exit code without CGI mode */
#define WASM_CODE_BODY_UNREADABLE "WASM0063" /* the request body could not be read */
#define WASM_CODE_OUTPUT          "WASM0064" /* httpd's output filters refused the response */
#define WASM_CODE_LIBRARY         "WASM0065" /* the library failed */
#define WASM_CODE_GROW_REFUSED    "WASM0066" /* growing met WasmMemoryLimit */
#define WASM_CODE_UNMAPPED        "WASM0067" /* a path variable lies in no mount */
#define WASM_CODE_SCRIPT_UNSAID   "WASM0068" /* a script is run, and WasmScriptArg is neither On nor Off */
#define WASM_CODE_SNAPSHOT_LOST   "WASM0069" /* a program runs without its snapshot, because sections were merged */

/* What the program says. */
#define WASM_CODE_STDERR          "WASM0070" /* a line of stderr */
#define WASM_CODE_BACKTRACE       "WASM0071" /* a line of the backtrace of a trap */
#define WASM_CODE_EXIT_CODE       "WASM0072" /* exit code of a CGI program that was not 0 */

/* A request's way, at debug. */
#define WASM_CODE_RUN_STARTS      "WASM0080" /* what is about to run, with what */
#define WASM_CODE_HEADERS         "WASM0081" /* a CGI program's header block is complete */
#define WASM_CODE_RUN_ENDED       "WASM0082" /* outcome, time and bytes of a run */

/* Limits, beside time and memory. */
#define WASM_CODE_CPU             "WASM0090" /* a run used more than WasmCPULimit */
#define WASM_CODE_OUTPUT_LIMIT    "WASM0091" /* a program wrote more than WasmOutputLimit */
#define WASM_CODE_ERROR_LIMIT     "WASM0092" /* standard error beyond WasmErrorLogLimit was dropped */
#define WASM_CODE_WRITE_REFUSED   "WASM0093" /* writing met WasmWriteLimit */
#define WASM_CODE_SCRATCH_REFUSED "WASM0094" /* the scratch directory is full */
#define WASM_CODE_FILES_REFUSED   "WASM0095" /* opening met WasmFileLimit */
#define WASM_CODE_SCRATCH_TAKEN   "WASM0096" /* all scratch directories were taken */

#endif
