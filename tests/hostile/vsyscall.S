# Calls the page that old programs knew, at its fixed address: the time is all
# that it tells.
# expect: exited 0 or signalled 11 or killed policy
.globl main
main:
    sub $8, %rsp
    mov $0xffffffffff600400, %rax
    xor %edi, %edi
    call *%rax
    xor %eax, %eax
    add $8, %rsp
    ret
.section .note.GNU-stack, "", @progbits
