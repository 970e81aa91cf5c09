// The trace, five eigenvalues and the density of a network's Hessian over shards of digits. By itself it has three
// workers in one process; started by mpirun or srun, every rank is a worker:
//
//     dotnet run -c Release --project samples/Cluster
//     mpirun -n 3 dotnet samples/Cluster/bin/Release/net10.0/Cluster.dll
//
// With the name of a file it keeps a checkpoint there, from which a run that was interrupted goes on.
open System
open Curvature
open Curvature.FSharp

/// Shows what the cluster has done, every hundred questions.
let private progress =
    { new IProgress<ClusterProgress> with
        member _.Report progress = if progress.Questions % 100L = 0L then eprintfn $"{progress}"
    }

let private measure (checkpoint: string option) (cluster: ICluster) =
    let driver = Driver.connectWith (ClusterOptions.Default.WithProgress progress) Digits.shards cluster
    let risk = Driver.risk "digits" driver
    let point = Hessian.evaluate risk Digits.theta
    use hessian = point.Hessian
    printfn $"{hessian} on {cluster.Name}"
    printfn $"loss {point.Loss}"

    let options =
        match checkpoint with
        | Some file -> RunOptions.Default.WithCheckpoint(file, 5.0)
        | None -> RunOptions.Default

    let signs = Hutchinson.estimator Probe.rademacher Measurement.trace
    printfn $"trace {Estimate.runWith options signs (StoppingRule.matvecs 100) (Key.OfSeed 2L) hessian}"

    let layers = Measurement.blockTraces (ParameterLayout.blocks Digits.layout)

    for layer in Hutchinson.estimate Probe.rademacher layers (StoppingRule.matvecs 50) (Key.OfSeed 3L) hessian do
        printfn $"  {layer}"

    let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 5 hessian

    for value, residual in Array.zip pairs.Values pairs.Residuals do
        printfn $"eigenvalue {value:g6}, residual {residual:g2}"

    let sample = StochasticLanczos.sample 4 30 (Key.OfSeed 4L) hessian
    let density = SpectralDensity.ofSample (Smoothing.gaussian 0.05) sample

    for i in 0 .. density.Grid.Length / 12 .. density.Grid.Length - 1 do
        printfn $"density at {density.Grid[i]:f3}: {density.Values[i]:g4} ± {density.StandardErrors[i]:g2}"

    eprintfn $"{cluster.BytesMoved} bytes were moved"

/// Whether a launcher of MPI started this process.
let private isRank =
    [ "OMPI_COMM_WORLD_SIZE"; "PMI_RANK"; "PMIX_RANK" ]
    |> List.exists (fun name -> not (String.IsNullOrEmpty(Environment.GetEnvironmentVariable name)))

[<EntryPoint>]
let main arguments =
    let measure = measure (Array.tryHead arguments)

    if isRank then
        Mpi.run Digits.shards measure
    else
        use cluster = LocalCluster.start 3 Digits.shards
        measure cluster

    0
