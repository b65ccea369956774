# Functions that install a peer, for the other scripts in this folder. Without rights or network, a script ends with a
# message and the tests of its peer are skipped; in CI a missing peer is an error.

readonly ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
readonly PEERS="$ROOT/.peers"

# missing PEER REASON: prints the reason and ends the script.
missing() {
  echo "peer $1 is missing: $2" >&2
  [[ ${CI:-} == true ]] && exit 1
  exit 0
}

# packages PEER COMMAND PACKAGE...: installs Debian packages, unless COMMAND exists.
packages() {
  command -v "$2" >/dev/null || debian "$@"
}

# headers PEER HEADER PACKAGE...: installs Debian packages, unless /usr/include/HEADER exists.
headers() {
  [[ -e /usr/include/$2 ]] || debian "$@"
}

# debian PEER WHAT PACKAGE...: installs Debian packages because WHAT is missing.
debian() {
  local peer=$1 what=$2
  shift 2
  command -v apt-get >/dev/null || missing "$peer" "no $what, and no apt-get to install $*"
  [[ $(id -u) == 0 ]] || missing "$peer" "no $what: run this script as root, or install $*"
  echo "peer $peer: installing $*"
  export DEBIAN_FRONTEND=noninteractive
  local log
  log=$(mktemp)
  { apt-get install -y --no-install-recommends "$@" || { apt-get update && apt-get install -y --no-install-recommends "$@"; }; } >"$log" 2>&1 ||
    { tail -n 5 "$log" >&2; missing "$peer" "apt-get could not install $*"; }
}

# libraries PEER: downloads the jars of scripts/peers/PEER/pom.xml and their dependencies into .peers/PEER/lib.
libraries() {
  local peer=$1
  local pom="$ROOT/scripts/peers/$peer/pom.xml" into="$PEERS/$peer" log
  cmp -s "$pom" "$into/pom.xml" && return
  packages "$peer" mvn maven
  echo "peer $peer: fetching its libraries"
  rm -rf "$into/lib"
  mkdir -p "$into"
  log=$(mktemp)
  mvn -B -q -f "$pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$into/lib" >"$log" 2>&1 ||
    { grep -m 3 ERROR "$log" >&2; missing "$peer" "Maven could not fetch its libraries"; }
  cp "$pom" "$into/pom.xml"
}

# classes PEER: compiles scripts/peers/PEER/*.java into .peers/PEER/classes.
classes() {
  local peer=$1
  local into="$PEERS/$peer/classes"
  packages "$peer" javac openjdk-17-jdk-headless
  [[ -e $into && -z $(find "$ROOT/scripts/peers/$peer" -name '*.java' -newer "$into") ]] && return
  rm -rf "$into"
  javac -d "$into" -cp "$PEERS/$peer/lib/*" "$ROOT/scripts/peers/$peer"/*.java ||
    { rm -rf "$into"; missing "$peer" "its Java classes did not compile"; }
}
