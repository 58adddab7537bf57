/* basetsd.h: integers as wide as a pointer. Which type that is differs between
   processors, so the compiler says. */

typedef int... ULONG_PTR;
typedef int... LONG_PTR;
