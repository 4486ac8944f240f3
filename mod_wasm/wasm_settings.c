#include "wasm_settings.h"

#define SETTING_ROW(id, directive, parser, scope, text, help) { directive, parser, scope, text },
const wasm_setting_row wasm_setting_rows[WASM_SETTINGS] = { WASM_SETTING_ROWS(SETTING_ROW) };

/* Written once, when the module is loaded. */
static wasm_settings defaults;

void wasm_settings_init(void)
{
    int i;

    wasm_settings_clear(&defaults);
    for (i = 0; i < WASM_SETTINGS; i++) {
        wasm_setting_rows[i].parse(wasm_setting_rows[i].default_text, &defaults.values[i]);
    }
}

void wasm_settings_clear(wasm_settings *settings)
{
    int i;

    for (i = 0; i < WASM_SETTINGS; i++) {
        settings->values[i] = WASM_UNSET;
    }
}

void wasm_settings_merge(wasm_settings *outer, const wasm_settings *inner)
{
    int i;

    for (i = 0; i < WASM_SETTINGS; i++) {
        if (inner->values[i] != WASM_UNSET) {
            outer->values[i] = inner->values[i];
        }
    }
}

apr_int64_t wasm_settings_get(const wasm_settings *settings, wasm_setting setting)
{
    apr_int64_t value = settings->values[setting];

    return value == WASM_UNSET ? defaults.values[setting] : value;
}
