/* @EXPECTED_RESULTS@: COMPILER-ERROR
   Sent by accident. */
int main(void) { int count,
