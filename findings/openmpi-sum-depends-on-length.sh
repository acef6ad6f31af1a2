#!/bin/sh
# Open MPI 4.1.4: what `MPI_SUM` of the same floats comes to depends on the length of the message and on the call.
#
# What one expects: element 7 of an all-reduce over three ranks is the sum of element 7 of each, in some fixed order, whatever
# else is in the message.
# What is so: the order of the sum changes with the length. The first 1,024 elements of a message of 8,192 have other last bits than
# the same elements sent alone, and `MPI_Reduce` comes to other bits than `MPI_Allreduce` of the same message.
# What follows: merging two gradients into one message, another bucket size or another number of ranks changes a training run, seed or
# no seed. Send shares of a fixed number of blocks, and add them in one order: `Trainer::distributed` leaves no sum to MPI.
#
# Needs Debian 12's `libopenmpi-dev openmpi-bin` and a C compiler. Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mpirun.openmpi --version | grep '4\.1\.4'
cat > "$folder/sums.c" <<'C'
#include <mpi.h>
#include <stdio.h>

enum { SHORT = 1024, LONG = 8192 };
static float own[LONG], shorter[SHORT], longer[LONG], reduced[LONG];

int main(int argc, char **argv) {
    int rank, by_length = 0, by_call = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int i = 0; i < LONG; i++) {
        unsigned x = (unsigned)(rank * 1000003 + i) * 2654435761u;
        x = (x ^ x >> 15) * 2246822519u;
        own[i] = (float)((x ^ x >> 13) % 2000001) / 1000000.0f - 1.0f;
    }
    MPI_Allreduce(own, shorter, SHORT, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Allreduce(own, longer, LONG, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Reduce(own, reduced, LONG, MPI_FLOAT, MPI_SUM, 0, MPI_COMM_WORLD);
    for (int i = 0; i < SHORT; i++) by_length += shorter[i] != longer[i];
    for (int i = 0; i < LONG; i++) by_call += longer[i] != reduced[i];
    if (rank == 0) {
        printf("%d of %d sums are others in a longer message, %d of %d in a reduce\n", by_length, SHORT, by_call, LONG);
    }
    MPI_Finalize();
    return rank == 0 && (by_length == 0 || by_call == 0);
}
C
mpicc.openmpi -O1 -o "$folder/sums" "$folder/sums.c"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
mpirun.openmpi --oversubscribe --bind-to none --mca btl self,vader -n 3 "$folder/sums"
