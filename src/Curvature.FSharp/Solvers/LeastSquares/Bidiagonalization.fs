namespace Curvature.FSharp

open Curvature

/// One right-hand side b by a method on the lower bidiagonal matrix of Golub and Kahan (1965): βₖ₊₁uₖ₊₁ = Avₖ − αₖuₖ
/// and αₖ₊₁vₖ₊₁ = Aᵀuₖ₊₁ − βₖ₊₁vₖ, which begin with β₁u₁ = b and α₁v₁ = Aᵀu₁. Products with A and Aᵀ take turns.
[<AbstractClass>]
type internal BidiagonalRow(b: Tensor) =
    inherit SolverRow()
    let mutable beta = Vectors.norm b
    let mutable u = b * (1.0 / beta)
    let mutable v = u
    let mutable alpha = 0.0
    let mutable hasBegun = false
    let mutable takesTranspose = true
    let mutable scale = 0.0
    let mutable state = RowState.AtWork

    let unit (w: Tensor) length = if length > 0.0 then w * (1.0 / length) else w

    /// Takes α₁, β₁ and v₁; says whether x = 0 is good enough.
    abstract Begin: alpha: float * beta: float * v: Tensor -> bool

    /// Takes αₖ₊₁, βₖ₊₁ and vₖ₊₁; says whether x is good enough.
    abstract Step: alpha: float * beta: float * v: Tensor -> bool

    /// The largest length of a column of the bidiagonal matrix so far, which ‖A‖ is no less than.
    override _.Scale = scale

    override _.Next = if takesTranspose then u else v
    override _.TakesTranspose = takesTranspose
    override _.State = state

    override row.Accept(product: Tensor) =
        if takesTranspose then
            let w = if hasBegun then product - beta * v else product
            alpha <- Vectors.norm w
            scale <- max scale alpha
            v <- unit w alpha
            let isGood = if hasBegun then row.Step(alpha, beta, v) else row.Begin(alpha, beta, v)
            hasBegun <- true
            // Without a direction that is new, nothing more can be done.
            if isGood || alpha = 0.0 then state <- RowState.Done
        else
            let w = product - alpha * u
            beta <- Vectors.norm w
            u <- unit w beta
            scale <- max scale (sqrt (alpha * alpha + beta * beta))

        takesTranspose <- not takesTranspose

/// What a least-squares solver looks for, and when it stops.
[<NoEquality; NoComparison>]
type internal LeastSquaresGoal =
    {
        /// The length of the residual that is small enough.
        Target: float
        /// The size of ‖Aᵀr‖/(‖A‖·‖r‖) that is.
        Tolerance: float
        /// λ, for min ‖b − Ax‖² + λ²‖x‖².
        Damping: float
    }

    /// Whether the lengths of r and Aᵀr, of the damped problem, are small enough. Half of what is allowed is left for
    /// the drift between recursions and the truth.
    member goal.IsReached(scale: float, residual: float, normal: float) =
        residual <= 0.5 * goal.Target || normal <= 0.5 * goal.Tolerance * scale * residual

module internal LeastSquares =

    let private norms (block: Tensor) = (Tensor.rowNorms block).ToArray()

    /// Raises ArgumentRangeException for a damping that is negative or not finite.
    let checkDamping (name: string) (damping: float) =
        if not (damping >= 0.0 && System.Double.IsFinite damping) then
            Fail.range $"{name}: damping is finite and not negative, and it is {damping}"

    /// ‖Aᵀr − λ²x‖/(‖A‖·‖(r, λx)‖) for each row; 0 where the residual is.
    let private normalResiduals (run: RowRun) damping (a: LinearOperator) (x: Tensor) (r: Tensor) =
        let gradients = norms (run.Multiply(a.Transposed, r) - (damping * damping) * x)
        let ofResidual, ofX = norms r, norms x

        Array.init gradients.Length (fun i ->
            let damped = damping * ofX[i]
            let length = sqrt (ofResidual[i] * ofResidual[i] + damped * damped)
            let scale = run.Scales[i] * length
            if gradients[i] = 0.0 || scale = 0.0 then 0.0 else gradients[i] / scale)

    /// A vector of zeros that an operator multiplies.
    let zero (a: LinearOperator) = Tensor.zeros a.DType [ a.Columns ] |> Tensor.toDevice a.Device

    /// A solver by a method that makes a row for an operator, a goal and a right-hand side.
    let solver name (damping: float) (row: LinearOperator -> LeastSquaresGoal -> Tensor -> SolverRow) : Solver =
        let run (options: SolverOptions) (a: LinearOperator) (b: Tensor) : SolverRun =
            let start target rhs =
                let tolerance = options.ToleranceFor a.DType
                row a { Target = target; Tolerance = tolerance; Damping = damping } rhs

            let method = { Start = start; ProductsPerIteration = 2; MostRestarts = 0 }
            let run = RowRun(method, options, a, b)
            let struct (x, r) = run.Solve()
            run.Report(x, r, normalResiduals run damping a x r)

        Solver
            {
                Name = if damping = 0.0 then name else $"{name} with damping {Numbers.show damping}"
                Breakdown = { What = "broken down"; Advice = "" }
                IsLeastSquares = true
                Check = fun a -> a.Transposed |> ignore
                Run = run
            }
