/* The C twin of hello-wasm: what it prints is the body of the response. */
#include <stdio.h>

int main(int argc, char **argv)
{
    puts("Hello from C, compiled to WebAssembly, inside Apache httpd!");
    for (int i = 0; i < argc; i++) {
        printf("argument %d: %s\n", i, argv[i]);
    }
    return 0;
}
