/*
 * The directives: checks of their arguments and place, and what they write into the configuration records.
 */
#ifndef WASM_DIRECTIVES_H
#define WASM_DIRECTIVES_H

#include "mod_wasm.h"

extern const command_rec wasm_directives[];

#endif
