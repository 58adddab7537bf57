/* basetsd.h: integers with the size of a pointer. The type depends on the processor, so
   the compiler determines it. */

typedef int... ULONG_PTR;
typedef int... LONG_PTR;
