namespace Curvature.Tests

open System
open System.Runtime.InteropServices
open System.Security.Cryptography
open Curvature
open Curvature.FSharp

/// Everything that a cluster must give to the bit, by name.
[<RequireQualifiedAccess>]
module Numbers =

    let private stop = StoppingRule.matvecs 12
    let private key = Key.OfSeed 21L

    let private ofEstimate (name: string) (found: Estimate<float>) = name, [| found.Value; found.StandardError |]

    let private ofTensors (name: string) (found: Estimate<Tensor>) =
        name, Array.append (found.Value.ToArray()) (found.StandardError.ToArray())

    let private ofMatrix (what: string) (layout: ParameterLayout) (matrix: LinearOperator) : (string * float[]) list =
        let blocks = ParameterLayout.blocks layout
        let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 3 matrix
        let density = StochasticLanczos.sample 3 8 key matrix |> SpectralDensity.ofSample (Smoothing.gaussian 0.1)
        let table = CurvatureByTensor.estimate layout stop key matrix

        let layers = Hutchinson.estimate Probe.rademacher (Measurement.blockTraces blocks) stop key matrix

        [
            Hutchinson.trace stop key matrix |> ofEstimate "trace"
            Hutchinson.estimate Probe.gaussian Measurement.trace stop key matrix |> ofEstimate "trace, normal probes"
            Hutchinson.diagonal stop key matrix |> ofTensors "diagonal"
            Hutchinson.estimate Probe.sphere Measurement.squaredFrobenius stop key matrix |> ofEstimate "squared norm"
            "layer traces", [| for layer in layers -> layer.Trace.Value |]
            "layer table", [| for row in table.Tensors -> row.Trace.Value |]
            XTrace.estimate stop key matrix |> ofEstimate "XTrace"
            "eigenvalues", Array.append pairs.Values pairs.Residuals
            "eigenvector", pairs.Vectors[0].ToArray()
            "density", Array.append density.Values density.StandardErrors
        ]
        |> List.map (fun (name, values) -> $"{what}: {name}", values)

    /// Of a risk at θ. The risk "model" has a model and a term.
    let ofRisk (layout: ParameterLayout) (theta: Tensor) (risk: EmpiricalRisk) : (string * float[]) list =
        let gradient = Gradient.ofRisk risk theta
        let point = Hessian.evaluate risk theta
        let direction = Direction.random (Key.OfSeed 5L) theta
        let line = Landscape.line risk theta direction (Landscape.grid 1.0 5)

        [
            yield "value", [| Risk.value risk theta |]
            yield "gradient", Array.append [| gradient.Loss |] (gradient.Gradient.ToArray())
            yield "point", Array.append [| point.Loss |] (point.Gradient.ToArray())
            yield "line", Array.append line.Losses line.ModelLosses
            yield! ofMatrix "Hessian" layout point.Hessian

            if risk.HasModel then
                let likelihood = Likelihood.categorical
                let drawn = FisherKind.monteCarlo likelihood 2 (Key.OfSeed 3L)
                yield! ofMatrix "Gauss-Newton" layout (GaussNewton.ofRisk risk theta)

                yield
                    Hutchinson.trace stop key (Fisher.ofRisk (FisherKind.exact likelihood) risk theta)
                    |> ofEstimate "Fisher"

                yield Hutchinson.trace stop key (Fisher.ofRisk drawn risk theta) |> ofEstimate "drawn Fisher"
        ]

    /// The bits of numbers, briefly.
    let hash (values: float[]) : string =
        Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(ReadOnlySpan values))).[..15]

    /// A line for each.
    let lines (found: (string * float[]) list) : string list =
        found |> List.map (fun (name, values) -> $"{name} = {hash values}")
