namespace Curvature.Samples.Report

open Curvature
open Curvature.FSharp

/// How well the probabilities of a network fit rows that it was not shown.
type HeldOut =
    {
        /// By the softmax of the network as it is.
        Network: ClassCalibration
        /// By a Laplace approximation of the parameters' posterior; nothing where the network is too large for one.
        Laplace: (LaplacePosterior * ClassCalibration) option
    }

[<RequireQualifiedAccess>]
module HeldOut =

    /// The Jacobians of a prediction are as large as the parameters, for each class.
    let private mostParameters = 20_000

    let private bins = 15

    /// What a function makes of all rows, a batch at a time.
    let private byBatch (problem: Problem) (inputs: Tensor) (f: Tensor -> Tensor) : Tensor =
        let rows = inputs.Shape[0]

        [
            for first in 0 .. problem.BatchSize .. rows - 1 ->
                Tensor.slice 0 first (min problem.BatchSize (rows - first)) inputs |> f
        ]
        |> Tensor.concat 0

    let private softmax (logits: Tensor) = logits |> Tensor.convert DType.Float64 |> Tensor.softmax

    /// Nothing where no rows were held out.
    let measure (problem: Problem) (theta: Tensor) : HeldOut option =
        problem.HeldOut
        |> Option.map (fun (inputs, labels) ->
            let calibration probabilities = Calibration.classes bins labels probabilities

            let laplace () =
                let options = LaplaceOptions.Default.WithStructure(LaplaceStructure.Kronecker problem.Layout)
                let posterior = Laplace.fit options Likelihood.categorical problem.Risk theta |> Laplace.tune
                let predict rows = (Laplace.predict rows posterior).Probabilities
                posterior, calibration (byBatch problem inputs predict)

            {
                Network = (fun rows -> softmax (problem.Model rows theta)) |> byBatch problem inputs |> calibration
                Laplace = if theta.Size <= mostParameters then Some(laplace ()) else None
            })

    /// What the rows of a table are about, and the numbers in them.
    let rows (found: HeldOut) : (string * ClassCalibration) list =
        [
            "softmax of the network", found.Network
            match found.Laplace with
            | Some(posterior, calibration) ->
                $"Laplace ({posterior.Structure}), prior precision {Typeset.rough posterior.PriorPrecision}",
                calibration
            | None -> ()
        ]
