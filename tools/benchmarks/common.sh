# Sourced by the scripts in the folders beside it.
TOOLS=$(dirname "${BASH_SOURCE[0]}")/..

# need 'CONFIG PRETRAIN GPUS' "$@": stop with the usage if an argument is missing.
need() {
    local names
    read -ra names <<<"$1"
    (($# > ${#names[@]})) || { echo "error: usage: $0 $1 [more]" >&2; exit 2; }
}

# work_dir CONFIG STUDENT: work_dirs/CONFIG/RUN/STUDENT, so that the runs of several students lie apart.
work_dir() {
    echo "work_dirs/$(basename "$1" .py)/$(basename "$(dirname "$(realpath -m "$2")")")/$(basename "${2%.*}")"
}
