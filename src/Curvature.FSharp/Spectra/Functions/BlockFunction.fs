namespace Curvature.FSharp

open System.Collections.Generic
open Curvature
open MathNet.Numerics.LinearAlgebra

/// f(A)V for the vectors of a block, of any length above 0, from one block Krylov space that all of them share
/// (O'Leary 1980 for systems; Frommer, Lund & Szyld 2017 for functions): C f(T) Q with an orthonormal basis Q of V, VA,
/// VA², … in rows, T = QAQᵀ and V = CQ.
[<Sealed>]
type internal BlockFunction(f: SpectralFunction, a: LinearOperator, v: Tensor) =
    let space, images = OrthonormalBasis(a.Columns, a.DType), Panels a.Columns
    let epsilon = SmallMatrices.epsilon a.DType
    let lengths = (Tensor.rowNorms v).ToArray()
    let unit = v / Rows.column v lengths
    let mutable block = (space.Extend unit).Vectors
    let coefficients = Rows.productsWith space.Panels unit

    /// How many basis vectors were multiplied after each step.
    let sizes = ResizeArray<int>()

    let isInvariant () = (block.Signature.Shape[0] = 0)
    let rows = coefficients.ColumnCount

    /// C f(T) for the leading rows and columns of T, a column for each vector; what f is at the Ritz values; and what
    /// rounding may change of it.
    let product (rounding: float) (t: Matrix<float>) : struct (Matrix<float> * float) =
        let ritz, size = SmallEigen.of' (t.ToArray()), t.RowCount
        let nodes = ritz.Values |> Array.map (LanczosFunction.admit f a rounding)
        let values = nodes |> Array.map (LanczosFunction.finite f)
        let vectors = Matrix<float>.Build.DenseOfArray ritz.Vectors
        let start = Matrix<float>.Build.Dense(size, rows)
        start.SetSubMatrix(0, 0, coefficients)
        let weights = vectors.TransposeThisAndMultiply start
        let ofFunction = vectors * weights.MapIndexed(fun i _ weight -> values[i] * weight)
        let largest = values |> Seq.map abs |> Seq.max
        let moved = LanczosFunction.roundingError f rounding nodes
        let unit = (8.0 + 2.0 * float size) * epsilon
        struct (ofFunction, moved + unit * largest)

    member _.Matvecs = images.Count
    member _.IsInvariant = isInvariant ()

    /// Multiplies the vectors that came last.
    member _.Step(label: int -> string) =
        let product = a.Multiply(block, label)
        images.Add product
        sizes.Add images.Count
        block <- (space.Extend product).Vectors

    /// What is known of the products, for each vector. The error is twice what a power law through the values of fewer
    /// steps leaves, from eight steps on, since blocks show it in few steps, and what rounding may add.
    member _.Rows() : FunctionRow[] =
        let size = images.Count
        let projected = (Rows.productsOf space.Panels images).SubMatrix(0, size, 0, size)
        SymmetryCheck.requireOf a.Name a.DType 0.0 projected (fun () -> ProductRounding.ofRandom a)
        let t = SmallMatrices.symmetricPart projected
        let rounding = (4.0 + sqrt (float size)) * epsilon * t.L2Norm()
        let struct (whole, ofRounding) = product rounding t

        let fewer = Dictionary<int, Matrix<float>>()

        let after steps =
            match fewer.TryGetValue steps with
            | true, found -> found
            | _ ->
                let leading = sizes[steps - 1]
                let struct (found, _) = product rounding (t.SubMatrix(0, leading, 0, leading))
                fewer[steps] <- found
                found

        let distance row steps =
            let few = after steps
            let difference i = whole[i, row] - (if i < few.RowCount then few[i, row] else 0.0)
            sqrt (Seq.sum (Seq.init size (fun i -> difference i * difference i)))

        let basis = Panels a.Columns

        for part in space.Panels.Blocks do
            basis.Add(Tensor.slice 0 0 (min (Rows.count part) (size - basis.Count)) part)

        let values = Rows.combineAll (whole.Transpose()) basis * Rows.column v lengths

        Array.init rows (fun row ->
            let length = whole.Column(row).L2Norm()
            let farthest first last = QuadratureError.between first last |> List.map (distance row) |> List.max

            let left =
                if isInvariant () then
                    0.0
                else
                    2.0 * QuadratureError.extrapolated (1e-15 * length) sizes.Count farthest

            {
                Value = Tensor.item 0 row values
                Error = lengths[row] * (left + ofRounding)
                IsBound = isInvariant ()
                Length = lengths[row] * length
                Matvecs = images.Count / rows
            })
