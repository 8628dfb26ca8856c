# Makes the call as a program of 32 bits would: its number means another call
# to a filter that does not look.
# expect: killed policy i386:getpid
.globl main
main:
    mov $20, %eax
    int $0x80
    xor %eax, %eax
    ret
.section .note.GNU-stack, "", @progbits
