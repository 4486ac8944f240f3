/* What the files of this SAPI offer each other. */
#ifndef WASI_SAPI_H
#define WASI_SAPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "php.h"
#include "SAPI.h"

/* module.c: the SAPI as PHP sees it. `line` says that a person asks, on a command line: the name is "cli" then, and output is plain text. */
void name_sapi(bool line);
extern sapi_module_struct wasi_sapi_module;

/* start.c: starts PHP, or says on standard error why not. What -d and -n of a command line say goes before. */
bool start_php(void);
void stop_php(void);
void add_ini_entry(const char *entry);
void ignore_ini_files(void);
bool php_is_started(void);
/* Makes of a PHP that was started for requests one for a command; false, with a message, where it was started another way than asked. */
bool become_command(void);

/* output.c */
size_t write_output(const char *data, size_t size);
void flush_output(void *context);
int send_headers(sapi_headers_struct *headers);

/* request.c: answers one request of CGI, whose variables are in the environment. The result is an exit status. */
int answer_request(void);
void describe_request(const char *script);

/* command.c: does what the arguments say. The result is an exit status. */
int run_command(int argument_count, char **arguments);

/*
 * script.c: runs the script `name`, from `stream` where there is one, and ends the request around it. The result is an exit status. As natively: what
 * PHP opens itself is a resource of the script, and open_basedir counts for it.
 */
bool begin_script(void);
int run_script(const char *name, FILE *stream);
int end_script(int status);
/* Closes the file, which is compiled, while its script runs. */
void close_script(void);
bool script_has_begun(void);

/* user_ini.c: applies [PATH] and [HOST] sections of php.ini and .user.ini files. A callback of the SAPI. */
int apply_user_ini(void);

/* warm.c: fills OPcache as the environment says, once PHP is started. */
bool is_to_be_warmed(void);
void warm_cache(void);

/* record.c: adds the scripts of this run to a list, if that is wanted. */
#define RECORD_WARM "--record-warm" /* the option of a command line */
void record_scripts_in(const char *list);
void record_scripts(void);

/* worker.c: boots the script that PHP_WORKER names up to its call of mod_wasm_handle_request(), and answers requests from there on. */
extern const zend_function_entry worker_functions[];
void boot_worker(void);
bool worker_is_frozen(void);
int answer_by_worker(const char *script);

/* worker_request.c: what of a request begins anew, and ends with the boot. */
void begin_request_of_worker(const char *script);
void end_modules(void);

/* deadline.c: max_execution_time. */
void watch_deadline(void);

/* resume.c: what a snapshot froze and each request has to have anew. */
void refresh(void);
void note_start(void);

/* An exit status as WASI passes it on: those above 125 mean something else to whoever runs a program. */
int exit_status(int status);

#endif
