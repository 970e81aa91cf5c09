namespace Curvature.FSharp

open System
open Curvature

/// The Hessian of a scalar function as a sparse matrix, at one product per colour.
///
/// Columns of the Hessian that share no row, or whose entries can be told apart by symmetry, get one colour, and one
/// product with their sum gives all of their entries. A star colouring lets each entry be read directly, an acyclic one
/// by substitution, with fewer colours (Gebremedhin, Manne & Pothen 2005; Gebremedhin, Tarafdar, Pothen & Walther
/// 2009). Colourings are greedy, in three orders of the columns, of which the best is taken.
[<RequireQualifiedAccess>]
module SparseHessian =

    let private name = "sparse Hessian"

    /// The derivative of the gradient as a family of maps.
    let private family (f: Tensor -> Tensor) (_: bool) : Tensor -> CompiledMap =
        Compile.family (fun x ->
            let (value, gradient), product = Linearized.gradient f x
            [ value; gradient ], product)

    /// The pattern and the colours, for the Hessians at many points of the shape of x; see `prepare`.
    let prepareWith (options: SparseOptions) (f: Tensor -> Tensor) (x: Tensor) : SparseDerivative =
        ArgumentNullException.ThrowIfNull(options, nameof options)
        let find x = Sparsity.findHessian name f x
        let found = find x
        let plan = SparsePlan.ofHessian name options found

        let replan =
            if found.IsFixed then
                ValueNone
            else
                ValueSome(find >> SparsePlan.ofHessian name options)

        SparseDerivative(name, x.Signature, plan, replan, family f)

    /// The pattern and the colours, for the Hessians at many points of the shape of x. Costs no product.
    /// Raises ColouringException, with the number of colours, where there are more than `SparseOptions.MostColours`,
    /// ShapeException for a function that is not scalar, and DTypeException for an Int32 point.
    let prepare (f: Tensor -> Tensor) (x: Tensor) : SparseDerivative = prepareWith SparseOptions.Default f x

    /// The Hessian at x, n by n for a point of n elements in row-major order; see `at`.
    let atWith (options: SparseOptions) (f: Tensor -> Tensor) (x: Tensor) : SparseMatrix =
        (prepareWith options f x).At x

    /// The Hessian at x, n by n for a point of n elements in row-major order: a gradient, a linearization, and one
    /// product per colour. Raises what `prepare` does, and NonFiniteException where the function or a product is NaN or
    /// infinite.
    let at (f: Tensor -> Tensor) (x: Tensor) : SparseMatrix = atWith SparseOptions.Default f x

/// The Jacobian of a function as a sparse matrix, at one product per colour.
///
/// Columns that share no row get one colour, and a product with their sum gives all of their entries; or rows that
/// share no column, by products with the transpose, where these have fewer colours (Curtis, Powell & Reid 1974;
/// Coleman & Moré 1983; Gebremedhin, Manne & Pothen 2005).
[<RequireQualifiedAccess>]
module SparseJacobian =

    let private name = "sparse Jacobian"

    /// Products with the Jacobian, or with its transpose.
    let private family (f: Tensor -> Tensor) (result: Lazy<Signature>) (isByRows: bool) : Tensor -> CompiledMap =
        if not isByRows then
            Compile.family (fun x ->
                let value, program = linearize f x
                [ value ], program.Apply)
        else
            let maps =
                Compile.familyOf (fun points ->
                    let value, program = linearize f points[1]

                    [ value ],
                    fun u -> (Reverse.transpose program.Program [| ValueSome u |])[0] |> Tangent.orZeros points[1])

            // The vectors have the shape of the first point, which is looked at for its shape alone.
            fun x -> maps [| Tensor.OfStorage(Storage.Full(x.Device, result.Value, 0.0)); x |]

    /// The pattern and the colours, for the Jacobians at many points of the shape of x; see `prepare`.
    let prepareWith (options: SparseOptions) (f: Tensor -> Tensor) (x: Tensor) : SparseDerivative =
        ArgumentNullException.ThrowIfNull(options, nameof options)
        let find x = Sparsity.findJacobian name f x
        let found = find x
        let plan = SparsePlan.ofJacobian name options found

        let replan =
            if found.IsFixed then
                ValueNone
            else
                ValueSome(find >> SparsePlan.ofJacobian name options)

        SparseDerivative(name, x.Signature, plan, replan, family f (lazy (f x).Signature))

    /// The pattern and the colours, for the Jacobians at many points of the shape of x. Costs no product.
    /// Raises ColouringException, with the number of colours, where columns and rows have more than
    /// `SparseOptions.MostColours`, and DTypeException for an Int32 point.
    let prepare (f: Tensor -> Tensor) (x: Tensor) : SparseDerivative = prepareWith SparseOptions.Default f x

    /// The Jacobian at x; see `at`.
    let atWith (options: SparseOptions) (f: Tensor -> Tensor) (x: Tensor) : SparseMatrix =
        (prepareWith options f x).At x

    /// The Jacobian at x, of m rows for the elements of f(x) and n columns for those of x, both in row-major order, in
    /// the element type of f(x): one forward or one backward pass per colour. Raises what `prepare` does, and
    /// NonFiniteException where the function or a product is NaN or infinite.
    let at (f: Tensor -> Tensor) (x: Tensor) : SparseMatrix = atWith SparseOptions.Default f x
