# Sourced by ./dev, ./margay and dist/bin/margay: sets JAVA_HOME to a JDK 25 or says what is missing. Starts no process:
# one would take as long as a tenth of a short command.
is_java25() {
  [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
  while read -r line || [ -n "$line" ]; do
    case $line in
      'JAVA_VERSION="25"'* | 'JAVA_VERSION="25.'*) return 0 ;;
    esac
  done <"$1/release"
  return 1
}

find_java25() {
  if [ -n "${JAVA_HOME:-}" ] && is_java25 "$JAVA_HOME"; then
    export JAVA_HOME
    return 0
  fi
  for candidate in /usr/lib/jvm/*25*; do
    if is_java25 "$candidate"; then
      JAVA_HOME=$candidate
      export JAVA_HOME
      return 0
    fi
  done
  echo "margay: no JDK 25 found: JAVA_HOME is ${JAVA_HOME:-not set} and nothing under /usr/lib/jvm/*25* is one. Install a JDK 25 or point JAVA_HOME at it." >&2
  return 1
}
