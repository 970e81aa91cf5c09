namespace Curvature.Samples.Report

open System
open Curvature
open Curvature.FSharp

/// The loss around the parameters at which curvature was measured.
type Landscapes =
    {
        /// Along the first eigenvector, the gradient and a random direction.
        Lines: LossLine list
        /// Over the plane of the first two eigenvectors.
        Plane: LossPlane
    }

/// Looking at the loss around a point.
[<RequireQualifiedAccess>]
module Landscapes =

    /// The distance at which the quadratic model of an eigenvector has risen by 1.
    let private radius (pairs: EigenPairs) index =
        if index < pairs.Values.Length && pairs.Values[index] > 0.0 then
            sqrt (2.0 / pairs.Values[index])
        else
            1.0

    /// Three lines and a plane, of the loss at θ with its gradient and eigenpairs. `tell` hears which share is done.
    let around
        (tell: float -> unit)
        (points: int)
        (key: Key)
        (problem: Problem)
        (gradient: Tensor)
        (pairs: EigenPairs)
        (theta: Tensor)
        : Landscapes =
        let batches = problem.Batches
        let onLine, onPlane = 2 * points - 1, points * points
        let total = float (batches.Length * (3 * onLine + onPlane))

        let options (before: int) =
            let listen (p: LandscapeProgress) = tell (float (batches.Length * before + p.Evaluations) / total)
            LandscapeOptions.Default.WithNonFinite().WithProgress(Progress.listen listen)

        let line number direction length =
            Landscape.lineWith (options (number * onLine)) problem.Risk theta direction (Landscape.grid length onLine)

        let first, random = Direction.eigenvector 0 pairs, Direction.random key theta

        let second =
            if pairs.Values.Length > 1 then
                Direction.eigenvector 1 pairs
            else
                Direction.orthogonalTo first random

        // The same distances along both axes, as far as the flatter one rises by 1 but for a much sharper first.
        let reach = min (radius pairs 1) (3.0 * radius pairs 0)
        let axis direction = Landscape.axis (Landscape.grid reach points) direction

        {
            Lines =
                [
                    line 0 first (radius pairs 0)
                    // At a stationary point there is no direction of the gradient.
                    if (Tensor.norm gradient).ToScalar() > 0.0 then
                        line 1 (Direction.gradient gradient) (radius pairs 0)
                    line 2 (Direction.filterNormalized problem.Layout theta random) 1.0
                ]
            Plane = Landscape.planeWith (options (3 * onLine)) problem.Risk theta (axis first) (axis second)
        }
