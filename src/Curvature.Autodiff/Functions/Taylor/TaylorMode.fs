namespace Curvature.FSharp

open Curvature

/// Derivatives of high order by Taylor coefficients that travel forward (Taylor mode): order K along a curve costs a
/// multiple K of one evaluation for linear operations, about K²/2 products for others, and no backward pass. Like all
/// derivatives they nest in any mix, inside vmap and compiled functions too.
///
/// All raise DTypeException at a point of Int32, and ShapeException for a direction unlike the point.
[<AutoOpen>]
module TaylorMode =

    let private factorial (k: int) = Seq.fold (fun product i -> product * float i) 1.0 (seq { 2..k })

    let private scaled (factor: float) (t: Tensor) = if factor = 1.0 then t else t * factor

    /// The value of f at x, and what `jet` returns.
    let fjet (order: int) (f: Tensor -> Tensor) (x: Tensor) (directions: Tensor list) : Tensor * Tensor list =
        checkPoint "jet" x
        Count.between 0 mostOrder "jet" order

        if directions.Length > order then
            Fail.range (
                $"jet: derivatives up to order {order} need {order} directions at most, "
                + $"and {directions.Length} were given"
            )

        for v in directions do
            checkDirection "jet" x v

        if order = 0 then
            f x, []
        else
            let given = directions |> List.mapi (fun i v -> ValueSome(scaled (1.0 / factorial (i + 1)) v))
            let missing = List.replicate (order - directions.Length) ValueNone
            let values, series = Jets.along order (fun xs -> [| f xs[0] |]) [| x |] [| List.toArray (given @ missing) |]

            let derivative k coefficient = coefficient |> Tangent.orZeros values[0] |> scaled (factorial (k + 1))

            values[0], series[0] |> Array.mapi derivative |> List.ofArray

    /// The derivatives of order 1, …, k in t at t = 0 of f(x(t)) along the curve x(t) = x + v₁t + v₂t²/2! + … + v_k
    /// tᵏ/k!. Directions that are not given are 0: `jet k f x [ v ]` are f's derivatives D f(x)[v], D²f(x)[v, v], …, up
    /// to order k. One forward pass with k coefficients. Raises ArgumentRangeException for an order below 0 or above
    /// 64, and for more directions than k.
    let jet order f x directions = snd (fjet order f x directions)

    let private checkStack name (x: Tensor) (directions: Tensor) =
        let one (shape: int[]) = if shape.Length = 0 then shape else Array.tail shape

        if directions.Rank = 0 || one directions.Signature.Shape <> x.Signature.Shape then
            Fail.shape (
                $"{name}: directions are stacked along a leading axis, each in the shape of the point, {x.ShapeText}; "
                + $"these have shape {directions.ShapeText}"
            )

        if directions.DType <> x.DType then
            Fail.dtype $"{name}: the point is {x.DType} and the directions are {directions.DType}; convert one of them"

    let private sumOf name order weights f x directions =
        checkPoint name x
        Count.between 1 mostOrder name order
        checkStack name x directions
        Collapsed.sum order weights f x directions

    /// The value of f at x, and Σ_r D^k f(x)[v_r, …, v_r] over directions v_r, stacked along a leading axis; f may have
    /// values of any shape, and the sum has it too. The coefficients of order k are summed in every operation (Dangel
    /// et al. 2025, "Collapsing Taylor mode"): R directions cost (k − 1)R + 1 coefficients. Raises
    /// ArgumentRangeException for an order below 1 or above 64, and ShapeException for directions of other shapes.
    let fsumOfDerivatives order (directions: Tensor) (f: Tensor -> Tensor) (x: Tensor) : Tensor * Tensor =
        sumOf "sumOfDerivatives" order ValueNone f x directions

    /// Σ_r D^k f(x)[v_r, …, v_r]; see fsumOfDerivatives.
    let sumOfDerivatives order directions f x = snd (fsumOfDerivatives order directions f x)

    /// The value of f at x, and Σ_r w_r·D^k f(x)[v_r, …, v_r] with a weight, of any sign, for each direction; see
    /// fsumOfDerivatives.
    let fweightedSumOfDerivatives order (weights: Tensor) (directions: Tensor) (f: Tensor -> Tensor) (x: Tensor) =
        if directions.Rank > 0 && weights.Signature.Shape <> [| directions.Signature.Shape[0] |] then
            Fail.shape (
                $"weightedSumOfDerivatives: weights of shape {weights.ShapeText} do not fit directions of shape "
                + directions.ShapeText
            )

        if weights.DType <> x.DType then
            Fail.dtype $"weightedSumOfDerivatives: the point is {x.DType} and the weights are {weights.DType}"

        sumOf "weightedSumOfDerivatives" order (ValueSome weights) f x directions

    /// Σ_r w_r·D^k f(x)[v_r, …, v_r]; see fweightedSumOfDerivatives.
    let weightedSumOfDerivatives order weights directions f x =
        snd (fweightedSumOfDerivatives order weights directions f x)

    /// The sum over blocks of directions, which bounds memory.
    let private overBlocks (sum: Tensor -> Tensor * Tensor) (blocks: Tensor list) : Tensor * Tensor =
        let value, first = sum blocks.Head
        value, blocks.Tail |> List.fold (fun total block -> total + snd (sum block)) first

    /// The value and the Laplacian Σ ∂²f/∂xᵢ² of a function with values of any shape, which the Laplacian has too: one
    /// forward pass with tangents and one sum of second derivatives (the forward Laplacian of Li et al. 2024). An
    /// element has tangents along those of the n elements of x alone that the program shows it to depend on; where that
    /// is most of them, x is taken 64 elements at a time.
    let flaplacian (f: Tensor -> Tensor) (x: Tensor) : Tensor * Tensor =
        checkPoint "laplacian" x
        let blocks () = basisBlocks x |> overBlocks (Collapsed.sum 2 ValueNone f x)

        if x.Size = 0 then
            blocks ()
        else
            ForwardLaplacian.tryAt f x |> ValueOption.defaultWith blocks

    /// The Laplacian Σ ∂²f/∂xᵢ² of a function with values of any shape.
    let laplacian f x = snd (flaplacian f x)

    /// The value of f at x, and Σ_ij (σσᵀ)_ij ∂²f/∂xᵢ∂xⱼ for a matrix σ of shape [n; r], where x has n elements: the
    /// second-order term of the generator of dX = σ dW is half of it. One forward pass with r tangents.
    /// Raises ShapeException for a matrix that does not have n rows.
    let fweightedLaplacian (sigma: Tensor) (f: Tensor -> Tensor) (x: Tensor) : Tensor * Tensor =
        checkPoint "weightedLaplacian" x

        if sigma.Rank <> 2 || sigma.Signature.Shape[0] <> x.Size then
            Fail.shape (
                $"weightedLaplacian: a matrix with a row for each of {x.Size} elements is needed, "
                + $"and the shape is {sigma.ShapeText}"
            )

        let columns = sigma.Signature.Shape[1]
        let directions = sigma |> Tensor.transpose |> Tensor.reshape (columns :: List.ofArray x.Signature.Shape)
        sumOf "weightedLaplacian" 2 ValueNone f x directions

    /// Σ_ij (σσᵀ)_ij ∂²f/∂xᵢ∂xⱼ; see fweightedLaplacian.
    let weightedLaplacian sigma f x = snd (fweightedLaplacian sigma f x)

    /// The biharmonic operator Δ²f = Σ_ij ∂⁴f/∂xᵢ²∂xⱼ², of a function with values of any shape: the Laplacian of the
    /// Laplacian, both collapsed, which costs (n + 2)² coefficients.
    let biharmonic (f: Tensor -> Tensor) (x: Tensor) : Tensor = laplacian (laplacian f) x

    let rec private signs (count: int) : float list list =
        if count = 0 then
            [ [] ]
        else
            [
                for rest in signs (count - 1) do
                    1.0 :: rest
                    -1.0 :: rest
            ]

    /// At most so many directions: 2^(k−1) curves are needed.
    let private mostDirections = 12

    /// D^k f(x)[v₁, …, v_k] for k directions, which need not be equal: by polarization, from 2^(k−1) curves along
    /// v₁ ± v₂ ± … ± v_k whose last coefficients are collapsed. Rounding grows with the lengths of the directions: give
    /// them similar ones. Raises ArgumentRangeException for none or more than 12 directions.
    let mixedDerivative (f: Tensor -> Tensor) (x: Tensor) (directions: Tensor list) : Tensor =
        checkPoint "mixedDerivative" x
        let order = directions.Length
        Count.between 1 mostDirections "mixedDerivative" order

        for v in directions do
            checkDirection "mixedDerivative" x v

        let choices = signs (order - 1)

        let along (choice: float list) =
            List.fold2 (fun sum sign (v: Tensor) -> sum + v * sign) directions.Head choice directions.Tail

        let scale = 1.0 / (factorial order * float choices.Length)

        let weights =
            choices
            |> List.map (fun choice -> scale * List.fold (*) 1.0 choice)
            |> Array.ofList
            |> Tensor.ofArray [ choices.Length ]
            |> Tensor.convert x.DType
            |> Tensor.toDevice x.Device

        sumOf "mixedDerivative" order (ValueSome weights) f x (Tensor.stack 0 (List.map along choices)) |> snd
