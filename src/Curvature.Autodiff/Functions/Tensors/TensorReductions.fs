namespace Curvature

/// Reductions over any axes, which disappear, beside sums and means.
module internal TensorReductions =

    /// The axes of a name's argument, ascending and each once.
    let private checkAxes name (axes: int list) (t: Tensor) : int list =
        axes |> List.map (Shape.axis name t.Rank) |> List.distinct |> List.sort

    /// The given axes as one last axis.
    let mergeLast name (axes: int list) (t: Tensor) : Tensor =
        let reduced = checkAxes name axes t
        let kept = Shape.otherAxes (List.toArray reduced) t.Rank |> List.ofArray
        let length axis = t.Signature.Shape[axis]
        let count = reduced |> List.fold (fun count axis -> count * length axis) 1
        t |> TensorShapes.permute (kept @ reduced) |> TensorShapes.reshape (List.map length kept @ [ count ])

    /// The length of the last axis.
    let lastLength (t: Tensor) = Array.last t.Signature.Shape

    /// The given axes as one last axis, which is not empty.
    let mergeElements name (axes: int list) (t: Tensor) : Tensor =
        let merged = mergeLast name axes t

        if lastLength merged = 0 then
            Fail.shape $"{name}: there are no elements in axes {axes} of shape {t.ShapeText}"

        merged

    let argMax (t: Tensor) : Tensor = Tensor.Of(Indexing.ArgMaximum(), t)

    let argMin (t: Tensor) : Tensor = argMax -t

    let maxAxes (axes: int list) (t: Tensor) : Tensor =
        let merged = mergeElements "max" axes t
        TensorSelection.pick (argMax merged) merged

    let minAxes (axes: int list) (t: Tensor) : Tensor =
        let merged = mergeElements "min" axes t
        TensorSelection.pick (argMin merged) merged

    /// Factors are multiplied in pairs, and the products in pairs again. Every derivative follows from the rule of
    /// products, where factors are 0 too.
    let prodAxes (axes: int list) (t: Tensor) : Tensor =
        t.Signature.RequireNumbers "prod"

        let rec product (t: Tensor) : Tensor =
            match lastLength t with
            | 0 -> t.Fill(Array.take (t.Rank - 1) t.Signature.Shape, 1.0)
            | 1 -> TensorShapes.squeeze -1 t
            | count ->
                let half = count / 2
                let piece start length = TensorShapes.sliceStep -1 start length 1 t
                let pairs: Tensor = piece 0 half * piece half half

                if count % 2 = 0 then
                    product pairs
                else
                    product (TensorShapes.concat -1 [ pairs; piece (count - 1) 1 ])

        product (mergeLast "prod" axes t)

    /// Differences to the mean over the axes, as one last axis, and the divisor of a variance.
    let private deviations name (axes: int list) (correction: int) (t: Tensor) : Tensor * float =
        let merged = mergeLast name axes t
        let count = lastLength merged

        if correction < 0 then
            Fail.range $"{name}: correction is at least 0, and it is {correction}"

        if count <= correction then
            Fail.shape (
                $"{name}: {count} elements in axes {axes} of shape {t.ShapeText} are not more "
                + $"than the correction, {correction}"
            )

        let mean = TensorShapes.unsqueeze -1 (TensorSelection.meanAxes [ -1 ] merged)
        merged - mean, float (count - correction)

    let varAxes (axes: int list) (correction: int) (t: Tensor) : Tensor =
        let deviations, divisor = deviations "var" axes correction t
        TensorSelection.sumAxes [ -1 ] (deviations * deviations) / divisor

    /// The norm of the deviations, and not the root of the variance: the norm has derivatives at 0.
    let stdAxes (axes: int list) (correction: int) (t: Tensor) : Tensor =
        let deviations, divisor = deviations "std" axes correction t
        Tensor.Of(Norm(deviations.Rank - 1), deviations) / sqrt divisor

    let anyAxes (axes: int list) (t: Tensor) : Tensor =
        Tensor.Greater(TensorSelection.sumAxes (checkAxes "any" axes t) (TensorSteps.isNonzero t), 0.0)

    let allAxes (axes: int list) (t: Tensor) : Tensor =
        Tensor.Equal(TensorSelection.sumAxes (checkAxes "all" axes t) (Tensor.Equal(t, 0.0)), 0.0)
