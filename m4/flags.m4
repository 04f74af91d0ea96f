# MLP_TRY_CFLAGS(VARIABLE, FLAG...): appends each flag the compiler takes.
AC_DEFUN([MLP_TRY_CFLAGS], [
  for mlp_flag in m4_normalize([$2]); do
    AS_VAR_PUSHDEF([mlp_cache], [mlp_cv_cflag_$mlp_flag])
    AC_CACHE_CHECK([whether $CC takes $mlp_flag], [mlp_cache], [
      mlp_save_CFLAGS=$CFLAGS
      CFLAGS="$CFLAGS -Werror $mlp_flag"
      AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[puts("x");]])],
        [AS_VAR_SET([mlp_cache], [yes])], [AS_VAR_SET([mlp_cache], [no])])
      CFLAGS=$mlp_save_CFLAGS
    ])
    AS_VAR_IF([mlp_cache], [yes], [AS_VAR_APPEND([$1], [" $mlp_flag"])])
    AS_VAR_POPDEF([mlp_cache])
  done
  AC_SUBST([$1])
])

AC_DEFUN([MLP_WARNINGS], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [make warnings errors])])
  MLP_TRY_CFLAGS([WARN_CFLAGS], [-std=gnu11 -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual
    -Wwrite-strings -Wmissing-prototypes -Wstrict-prototypes -Wold-style-definition -Wvla
    -Wformat=2 -Wundef -Wduplicated-cond -Wlogical-op
    -Wno-missing-field-initializers])
  AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
])

AC_DEFUN([MLP_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers], [AS_HELP_STRING([--enable-sanitizers=LIST],
    [build with -fsanitize=LIST, for instance address,undefined or thread])],
    [], [enable_sanitizers=no])
  AS_IF([test "x$enable_sanitizers" = xyes], [enable_sanitizers=address,undefined])
  AS_IF([test "x$enable_sanitizers" != xno], [
    SANITIZE_FLAGS="-fsanitize=$enable_sanitizers -fno-omit-frame-pointer -fno-sanitize-recover=all"
    AC_MSG_CHECKING([whether $CC takes -fsanitize=$enable_sanitizers])
    mlp_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $SANITIZE_FLAGS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[puts("x");]])],
      [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AC_MSG_ERROR([$CC cannot build with -fsanitize=$enable_sanitizers])])
    CFLAGS=$mlp_save_CFLAGS
  ], [enable_sanitizers=])
  AC_SUBST([SANITIZE_FLAGS])
])

# Appended after what the user gave; sanitizers and _FORTIFY_SOURCE do not mix.
AC_DEFUN([MLP_HARDENING], [
  AS_IF([test -z "$enable_sanitizers"], [
    MLP_TRY_CFLAGS([HARDEN_CFLAGS], [-fstack-protector-strong -fstack-clash-protection
      -fcf-protection -ftrivial-auto-var-init=zero])
    AS_CASE(["$CFLAGS"], [*-O0*], [], [
      MLP_TRY_CFLAGS([HARDEN_CFLAGS], ["-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])])
  ])
  HARDEN_LDFLAGS="-Wl,--as-needed -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack"
  AC_SUBST([HARDEN_LDFLAGS])
])

# libFuzzer as an archive, so that only programs without a main() take its own.
AC_DEFUN([MLP_LIBFUZZER], [
  AC_ARG_ENABLE([libfuzzer], [AS_HELP_STRING([--enable-libfuzzer],
    [drive t/fuzz by libFuzzer (needs clang) instead of our own driver])],
    [], [enable_libfuzzer=no])
  FUZZ_LIBS=t/fuzz/libfuzz-main.la
  AS_IF([test "x$enable_libfuzzer" != xno], [
    mlp_file=`$CC -print-file-name=libclang_rt.fuzzer-$host_cpu.a`
    AS_IF([test -f "$mlp_file"], [], [mlp_file=`$CC -print-resource-dir`/lib/linux/libclang_rt.fuzzer-$host_cpu.a])
    AS_IF([test -f "$mlp_file"], [], [AC_MSG_ERROR([$CC has no libFuzzer])])
    FUZZ_LIBS="$mlp_file -lstdc++ -lm"
    SANITIZE_FLAGS="$SANITIZE_FLAGS -fsanitize=fuzzer-no-link"
  ])
  AC_SUBST([FUZZ_LIBS])
])
