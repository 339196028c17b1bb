# Where the time went, from what the test programs print when they are run with `timed`: the ten slowest tests, and how long each program ran.

function listed(heading, lines, most) {
    print "\n" heading
    sorted = "sort -t '\t' -k1,1nr" (most ? " | head -n " most : "")
    printf "%s", lines | sorted
    close(sorted)
}

/^tests of .* \(.*\)$/ { program = substr($0, length("tests of ") + 1) }
/^test .* \.\.\. .*<[0-9.]+s>$/ {
    seconds = $NF
    gsub(/[<>s]/, "", seconds)
    name = $0
    sub(/^test /, "", name)
    sub(/ \.\.\. .*$/, "", name)
    tests = tests sprintf("%8.2f\t%s: %s\n", seconds, program, name)
}
/^test result: .* finished in / {
    seconds = $NF
    sub(/s$/, "", seconds)
    total[program] += seconds
    whole += seconds
}
END {
    for (program in total) programs = programs sprintf("%8.2f\t%s\n", total[program], program)
    listed("The ten slowest tests, in seconds:", tests, 10)
    listed("The test programs, in seconds:", programs, 0)
    printf "%8.2f\tall\n", whole
}
