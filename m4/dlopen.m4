# MLP_DLOPEN_LIB(NAME, MODULE, LIB)
# Checks for a library that is loaded at run time: its headers are needed, and its
# soname goes into NAME_SONAME of config.h.
AC_DEFUN([MLP_DLOPEN_LIB], [
  PKG_CHECK_MODULES([$1], [$2])
  AC_CACHE_CHECK([for the soname of lib$3], [mlp_cv_soname_$3], [
    mlp_file=`$CC -print-file-name=lib$3.so`
    mlp_cv_soname_$3=`LC_ALL=C objdump -p "$mlp_file" 2>/dev/null | awk '/SONAME/ { print $NF }'`
  ])
  AS_IF([test -z "$mlp_cv_soname_$3"], [AC_MSG_ERROR([cannot find the soname of lib$3])])
  AC_DEFINE_UNQUOTED([$1_SONAME], ["$mlp_cv_soname_$3"], [File of lib$3 loaded at run time])
])
