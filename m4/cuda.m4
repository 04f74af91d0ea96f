# --with-cuda[=DIR]: asked for and not found is an error; by default it is looked
# for.  mlp itself never links CUDA; workers are programs of their own.
AC_DEFUN([MLP_CUDA], [
  AC_ARG_WITH([cuda], [AS_HELP_STRING([--with-cuda@<:@=DIR@:>@],
    [build the CUDA workers with the toolkit in DIR (default: where nvcc is)])],
    [], [with_cuda=check])
  have_cuda=no
  AS_IF([test "x$with_cuda" != xno], [
    AS_CASE([$with_cuda],
      [yes|check], [AC_PATH_PROG([NVCC], [nvcc], [], [$PATH:/usr/local/cuda/bin])],
      [AC_PATH_PROG([NVCC], [nvcc], [], [$with_cuda/bin])])
    AS_IF([test -n "$NVCC"], [
      AC_MSG_CHECKING([whether nvcc compiles])
      echo '__global__ void k(int *p) { *p = 1; }' >conftest.cu
      AS_IF(["$NVCC" -c conftest.cu -o conftest.o >&AS_MESSAGE_LOG_FD 2>&1], [have_cuda=yes])
      rm -f conftest.cu conftest.o
      AC_MSG_RESULT([$have_cuda])
    ])
    AS_IF([test "x$have_cuda" = xno && test "x$with_cuda" != xcheck],
      [AC_MSG_ERROR([--with-cuda was given, but there is no working nvcc])])
  ])
  AM_CONDITIONAL([HAVE_CUDA], [test "x$have_cuda" = xyes])
])
