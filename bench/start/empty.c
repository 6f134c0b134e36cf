// The least a program can do: what is left is the engine's start and end.
int main(void) {
  return 0;
}
