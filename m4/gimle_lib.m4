# SPDX-License-Identifier: MIT
# GIMLE_LIB(NAME, HEADER, FUNCTION, LIBS, DEBIAN-PACKAGE, PROLOGUE)
# Looks for a library by compiling and linking a call of FUNCTION.  When it is missing, its
# package is added to gimle_missing, so that configure can name everything at once at its end.
AC_DEFUN([GIMLE_LIB], [
  AC_MSG_CHECKING([for $1])
  gimle_save_LIBS=$LIBS
  LIBS="$4 $LIBS"
  AC_LINK_IFELSE([AC_LANG_SOURCE([[
$6
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <$2>
int main(void) { return (void *)$3 == (void *)1; }
]])], [gimle_lib_found=yes], [gimle_lib_found=no])
  LIBS=$gimle_save_LIBS
  AC_MSG_RESULT([$gimle_lib_found])
  AS_IF([test $gimle_lib_found = no],
    [gimle_missing="$gimle_missing
    $1: package $5"
     gimle_packages="$gimle_packages $5"])
])
