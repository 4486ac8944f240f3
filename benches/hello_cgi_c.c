/* The program of the benchmark: built natively for mod_cgid and to WebAssembly for mod_wasm. */
#include <stdio.h>

int main(void)
{
    puts("Content-Type: text/plain\n\nHello, world");
    return 0;
}
