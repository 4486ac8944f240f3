# The tag by which longjmp throws. wasi-libc leaves its definition to whoever links.
.globl __c_longjmp
.tagtype __c_longjmp i32
__c_longjmp:
