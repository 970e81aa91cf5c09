namespace Curvature.FSharp

open System
open Curvature

/// Curvature over the ranks of an MPI job. The same program runs on every rank, under `mpirun` or `srun`.
[<RequireQualifiedAccess>]
module Mpi =

    /// The most bytes of one message.
    let private mostBytes = 1L <<< 31

    /// Whether there is an MPI library here. The variable CURVATURE_MPI can name its file; otherwise the launcher tells
    /// whether it is Open MPI's (`libmpi.so.40`) or MPICH's or one of its kin (`libmpich.so.12`, `libmpi.so.12`).
    let isThere () : bool = MpiLibrary.isThere ()

    let private start () : struct (MpiCalls * MpiLibrary) =
        let library = MpiLibrary.get ()
        let calls = MpiCalls library
        let launched = MpiLibrary.launched ()

        if launched > 1 && calls.Size = 1 then
            ClusterFail.cluster (
                $"the launcher started {launched} ranks, and {library.Name} knows of one: it is not that of this "
                + $"launcher; name the right one by the variable {MpiLibrary.Variable}"
            )

        struct (calls, library)

    let private abort (calls: MpiCalls) (error: exn) =
        let what =
            match error with
            | :? CurvatureException -> $"{error.GetType().Name}: {error.Message}"
            | _ -> string error

        eprintfn $"rank {calls.Rank} of {calls.Size} ends the job: {what}"
        Console.Error.Flush()
        calls.Abort 1

    /// Runs a program on rank 0 with all ranks as workers, rank 0 among them; the other ranks serve the shards until it
    /// ends. All ranks call it, once in a process, with the same shards. An error in the program, or in the engine of
    /// any rank, is written to standard error and ends the job with exit code 1; so does, by the launcher, a rank that
    /// dies. A job with a checkpoint goes on where it was, on any number of ranks. Ranks that wait leave their
    /// processor to others. Every rank computes on all processors that it sees: with several ranks a machine, give
    /// each its share by the launcher's binding or by DOTNET_PROCESSOR_COUNT.
    /// Raises ClusterException where there is no MPI library, or not the launcher's.
    let run (shards: Shards) (program: ICluster -> unit) : unit =
        ArgumentNullException.ThrowIfNull(shards, nameof shards)
        let struct (calls, library) = start ()

        try
            let rank = MpiRank(MpiLink(calls, mostBytes), ShardServer(shards, mostBytes))

            if calls.Rank = 0 then
                use cluster = new MpiCluster(rank, $"{calls.Version} ({library.Name})")
                program cluster
                rank.Stop()
            else
                rank.Serve()

            calls.Finish()
        with error ->
            abort calls error
