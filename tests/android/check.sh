#!/usr/bin/env bash
# Compiles the Android example's classes with a test and runs it on the JVM.
#   check.sh java|kotlin BANTAM JNI-FOLDER SOURCES WORK JAVA JAVAC [KOTLINC]
set -euo pipefail
language=$1 bantam=$2 library=$3 sources=$4 work=$5 java=$6 javac=$7 kotlinc=${8:-}
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
digits=$tests/../../examples/digits
rm -rf "$work"
mkdir -p "$work/classes"

"$tests/../support/digits_plan.sh" "$bantam" "$work/digits.bantam"
jvm=("$java" -Xcheck:jni --add-opens java.base/java.io=ALL-UNNAMED "-Djava.library.path=$library")
if [[ $language == java ]]; then
  "$javac" -Xlint:all -Werror -d "$work/classes" "$sources"/*.java "$tests/NativeTest.java"
  "${jvm[@]}" -cp "$work/classes" org.bantam.NativeTest "$work/digits.bantam" "$digits/one.pgm" "$work" 1 | tee "$work/log"
else
  "$javac" -d "$work/classes" "$sources"/*.java
  "$kotlinc" -cp "$work/classes" "$sources/Model.kt" "$sources/Session.kt" "$tests/ModelTest.kt" -include-runtime -d "$work/test.jar"
  "${jvm[@]}" -cp "$work/test.jar:$work/classes" org.bantam.ModelTestKt "$work/digits.bantam" "$digits/one.pgm" 1 | tee "$work/log"
fi
! grep -q WARNING "$work/log" || { echo "the JVM complains of the JNI code" >&2; exit 1; }
