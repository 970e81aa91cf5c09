namespace Curvature.Tests.Unit.Devices

open Curvature
open Curvature.FSharp
open Curvature.Tests.Unit.Devices.SecondDeviceInputs

/// Everything that the library computes: what is differentiated, and what is estimated from it.
[<RequireQualifiedAccess>]
module SecondDeviceCases =

    let private estimators: DeviceCase list =
        let run (measurement: Measurement<'T>) probe on =
            Hutchinson.estimate probe measurement stop (key 21) (positive on)

        let traceOf probe on = ofEstimate (run Measurement.trace probe on)
        let blocks = [ ParameterBlock("first", 0, 4); ParameterBlock("rest", 4, 5) ]
        let ofBlocks (traces: BlockTrace[]) = traces |> List.ofArray |> List.collect (fun t -> ofEstimate t.Trace)

        [
            for probe in
                [
                    Probe.rademacher
                    Probe.gaussian
                    Probe.sphere
                    Probe.sparse 0.5
                    Probe.fixedSparse 2
                    Probe.basis
                ] do
                $"trace with {probe}", traceOf probe
            "diagonal", (run Measurement.diagonal Probe.rademacher >> ofVector)
            "ratio", (run Measurement.diagonalRatio Probe.gaussian >> ofVector)
            "row norms", (run Measurement.rowNorms Probe.rademacher >> ofVector)
            "Frobenius norm", (run Measurement.frobenius Probe.rademacher >> ofEstimate)
            "block traces", (run (Measurement.blockTraces blocks) Probe.rademacher >> ofBlocks)
            "exact values",
            fun on ->
                let a = positive on

                ofVector (Exact.diagonal a)
                @ ofEstimate (Exact.trace a)
                @ ofVector (Exact.rowNorms a)
                @ ofEstimate (Exact.frobenius a)
            "Hutch++", (fun on -> ofEstimate (HutchPlusPlus.estimate (StoppingRule.matvecs 9) (key 22) (positive on)))
            "adaptive Hutch++", (fun on -> ofEstimate (AdaptiveHutchPlusPlus.estimate 5.0 0.1 (key 22) (positive on)))
            "nonadaptive Hutch++",
            (fun on -> ofEstimate (NonadaptiveHutchPlusPlus.estimate (StoppingRule.matvecs 18) (key 22) (positive on)))
            "XTrace", (fun on -> ofEstimate (XTrace.estimate (StoppingRule.matvecs 12) (key 23) (positive on)))
            "XNysTrace", (fun on -> ofEstimate (XNysTrace.estimate (StoppingRule.matvecs 6) (key 24) (positive on)))
            "XDiag", (fun on -> ofVector (XDiag.estimate (StoppingRule.matvecs 12) (key 25) (positive on)))
            "XDiag of blocks",
            (fun on -> ofBlocks (XDiag.blockTraces (StoppingRule.matvecs 12) (key 25) blocks (positive on)))
            "XNysDiag", (fun on -> ofVector (XNysDiag.estimate (StoppingRule.matvecs 6) (key 26) (positive on)))
            "UDiag++", (fun on -> ofVector (UDiagPlusPlus.estimate (StoppingRule.matvecs 12) (key 27) (positive on)))
            "automatic",
            fun on ->
                let trace = Automatic.trace stop (key 28) (positive on)
                let diagonal = Automatic.diagonal stop (key 29) (positive on)
                ofEstimate trace.Estimate @ ofVector diagonal.Estimate
            "norms", (fun on -> [ (Norm.spectral 0.1 (key 30) (positive on)).Value ])
        ]

    let private spectra: DeviceCase list =
        let ofPairs (pairs: EigenPairs) = List.ofArray pairs.Values @ ofTensor pairs.Vectors

        [
            "Lanczos", (fun on -> List.ofArray (Lanczos.run 6 (key 31) (positive on)).RitzValues)
            "Lanczos quadrature",
            fun on ->
                let sample = StochasticLanczos.sample 3 6 (key 32) (positive on)

                ofEstimate (StochasticLanczos.logDeterminant sample)
                @ List.ofArray (SpectralDensity.ofSample Smoothing.papyan sample).Values
            "Chebyshev moments",
            fun on ->
                let density = ChebyshevMoments.sample 3 10 (key 33) (positive on) |> ChebyshevMoments.density 16
                List.ofArray density.Values
            "thick restart", (fun on -> ofPairs (ThickRestartLanczos.find SpectrumEnd.BothEnds 4 (positive on)))
            "LOBPCG", (fun on -> ofPairs (Lobpcg.find SpectrumEnd.Smallest 2 (positive on)))
            "power iteration",
            (fun on -> ofPairs (PowerIteration.find (PowerStop.residual 1e-6) 500 2 (key 34) (positive on)))
        ]

    let private studies: DeviceCase list =
        let table on = CurvatureByTensor.estimate mlp.Layout stop (key 35) (hessian on)
        let ofGrid (values: float[,]) = List.ofSeq (Seq.cast<float> values)

        [
            "curvature by tensor",
            fun on ->
                [
                    for row in (table on).Tensors do
                        yield! ofEstimate row.Trace
                        yield! ofVector row.Diagonal
                ]
            "activations",
            fun on ->
                let sum = Loss.softmaxCrossEntropy Reduction.Sum
                let risk = mlp |> Network.risk Reduction.Sum sum [ Batch(on inputs, on labels) ]

                let taps =
                    [ for tap in ActivationHessian.taps mlp (theta on) (on inputs) -> tap.Name ] |> List.truncate 1

                let whole = ActivationHessian.at mlp (sum (on labels)) taps.Head (theta on) (on inputs)

                product on whole
                @ [
                    for found in ActivationHessian.traces mlp risk taps stop (key 36) (theta on) do
                        yield! ofEstimate found.Trace
                ]
            "activations over batches",
            fun on ->
                let taps =
                    [ for tap in ActivationHessian.taps mlp (theta on) (on inputs) -> tap.Name ] |> List.truncate 1

                let found = ActivationHessian.traces mlp risk taps stop (key 37) (theta on)

                [
                    for each in found do
                        yield! ofEstimate each.Trace
                ]
            "landscapes",
            fun on ->
                let theta = theta on
                let random seed = Direction.random (key seed) theta |> Direction.filterNormalized mlp.Layout theta
                let gradient = Direction.gradient (grad (lossOf on) theta)
                let host = Direction.ofVector "host" (normal 38 [ mlp.ParameterCount ])
                let grid = Landscape.grid 1.0 3

                let line direction =
                    List.ofArray (Landscape.line (Risk.ofFunction (lossOf on)) theta direction grid).Losses

                let overBatches = Landscape.lineWith LandscapeOptions.Default risk theta gradient grid

                let plane =
                    Landscape.plane
                        (Risk.ofFunction (lossOf on))
                        theta
                        (Landscape.axis grid (random 39))
                        (random 40 |> Direction.orthogonalTo (random 39) |> Landscape.axis grid)

                line gradient @ line host @ line (random 41) @ List.ofArray overBatches.Losses @ ofGrid plane.Losses
            "quantisation",
            fun on ->
                let scores = QuantizationSensitivity.scores [ 2; 4 ] (theta on) (table on)

                [
                    for row in scores.Tensors do
                        yield! ofEstimate (row.Score 4)
                ]
                @ [ (QuantizationSensitivity.stability (key 42) 20 4 scores).MeanTau ]
                @ ofTensor (Quantization.perTensor 2 (theta on))
            "pruning",
            fun on ->
                let saliencies = Pruning.saliencies (theta on) (table on)

                [
                    for point in Pruning.curve (Risk.ofFunction (lossOf on)) [ 0.1; 0.5 ] saliencies do
                        yield! ofEstimate point.Predicted
                ]
                @ [ (Pruning.stability (key 43) 20 [ 0.3 ] saliencies).MeanTau ]
        ]

    let all = SecondDeviceDerivativeCases.all @ estimators @ spectra @ studies
