namespace Curvature.TorchSharp

open System
open global.TorchSharp
open Curvature
open Curvature.FSharp

/// A kind of square matrix that a risk in torch has.
[<NoEquality; NoComparison>]
type internal MatrixKind =
    {
        Name: string
        Properties: OperatorProperties
        /// Whether it is a mean over samples however the risk is reduced.
        IsMean: bool
        NeedsModel: bool
        /// The matrix of a part, by the name for messages.
        Make: string -> bool -> ParameterSet -> TorchPart -> GraphMatrix
    }

/// A risk at the parameters as they are, with a matrix there.
[<NoEquality; NoComparison>]
type internal MatrixPoint =
    {
        Operator: LinearOperator
        Loss: float voption
        Gradient: Tensor voption
        Outputs: Tensor voption
    }

module internal RiskMatrix =

    let private joined name (set: ParameterSet) (matrix: GraphMatrix) : Tensor voption =
        if matrix.Gradient.Length = 0 then
            ValueNone
        else
            let gradient = set.Join matrix.Gradient
            Finite.check $"{name}: the gradient" gradient
            ValueSome gradient

    let private checkLoss name (matrix: GraphMatrix) =
        matrix.Loss |> ValueOption.iter (fun loss -> Autograd.checkFinite name "loss" loss |> ignore)

    // ---- one graph, which is kept

    let private retained (kind: MatrixKind) (risk: TorchRiskDefinition) : MatrixPoint =
        let part = risk.Parts() |> Seq.head

        TorchState.exclusively kind.Name (fun () ->
            let matrix, _ =
                TorchState.keepingRandomState ValueNone (fun () ->
                    risk.Buffers.Keeping(fun () -> kind.Make kind.Name risk.IsStrict risk.Set part))

            checkLoss kind.Name matrix

            {
                Loss = matrix.Loss
                Gradient = joined kind.Name risk.Set matrix
                Outputs = matrix.Outputs |> ValueOption.map Exchange.ofTorch
                Operator = RetainedOperator.square kind.Name kind.Properties risk.Set risk.Set matrix
            })

    // ---- over batches

    /// What a batch was at the first pass: its size, and its loss, or the sum of its outputs where there is no loss.
    let private mark (part: TorchPart) (matrix: GraphMatrix) : struct (int * float) =
        let value =
            match matrix.Loss, matrix.Outputs with
            | ValueSome loss, _ -> loss
            | ValueNone, ValueSome outputs -> Autograd.number (outputs.sum ())
            | ValueNone, ValueNone -> 0.0

        struct (part.Size, value)

    /// How far the loss of the same samples in another order may be away, relative to itself.
    let private tolerance (dtype: DType) = if dtype = DType.Float64 then 1e-11 else 1e-5

    let private isSame dtype (struct (size, value): struct (int * float)) (struct (otherSize, otherValue)) =
        size = otherSize && abs (value - otherValue) <= tolerance dtype * abs value

    /// Raises where the first batch has another loss when it is evaluated again from the same random state.
    let private requireDeterministic (name: string) dtype (state: TorchTensor) (part: TorchPart) (matrix: GraphMatrix) =
        match matrix.Loss with
        | ValueNone -> ()
        | ValueSome loss ->
            torch.random.set_rng_state state
            use _noGrad = torch.no_grad ()

            match part.Loss() with
            | null -> ()
            | again ->
                if not (isSame dtype (struct (1, loss)) (struct (1, Autograd.number again))) then
                    Fail.differentiation (
                        $"{name}: the loss differs when a batch is evaluated again; its randomness, such as dropout on "
                        + "another device than the processor, is not that of torch.random: call eval() on the module"
                    )

    let private changed name what =
        Fail.data (
            $"{name}: {what}; the source of batches must give the same data, in the same order, at every pass: "
            + "take a DataLoader that does not shuffle"
        )

    let private overBatches (kind: MatrixKind) (risk: TorchRiskDefinition) : MatrixPoint =
        let name, set, n = kind.Name, risk.Set, risk.Set.Layout.Size
        let risk = if kind.IsMean then { risk with Reduction = Reduction.Mean } else risk
        let state = TorchState.exclusively name TorchState.randomState
        let room = set.Room()
        let seen = ResizeArray<struct (int * float)>()

        let first number (part: TorchPart) =
            let name = name + part.Suffix
            let matrix = kind.Make name risk.IsStrict set part
            checkLoss name matrix
            if number = 0 then requireDeterministic name set.DType state part matrix
            seen.Add(mark part matrix)

            [
                match matrix.Loss, joined name set matrix with
                | ValueSome loss, ValueSome gradient ->
                    Tensor.scalar DType.Float64 loss
                    gradient
                | _ -> ()
            ]

        let found = TorchPass.totals name risk (ValueSome state) first
        let before = TorchState.exclusively name set.Checksums

        let product (block: Tensor) number (part: TorchPart) =
            let matrix = kind.Make (name + part.Suffix) risk.IsStrict set part

            if number >= seen.Count || not (isSame set.DType seen[number] (mark part matrix)) then
                changed name $"batch {number} is not what it was at the first pass"

            [ RetainedOperator.rows (set, room) set matrix.Product block ]

        let matmat (block: Tensor) =
            TorchState.exclusively name (fun () -> set.RequireUnchanged(name, before))
            let found = TorchPass.totals name risk (ValueSome state) (product block)

            if found.Batches < seen.Count then
                changed name $"the first pass had {seen.Count} batches, and this one {found.Batches}"

            Tensor.convert set.DType found.Totals.Head

        let memory =
            { new IDisposable with
                member _.Dispose() =
                    TorchState.exclusively name (fun () ->
                        state.Dispose()
                        (room :> IDisposable).Dispose())
            }

        {
            Operator =
                new LinearOperator(
                    { OperatorParts.define name set.DType n n (Products.ofMatmat matmat) with
                        Properties = kind.Properties
                        Warnings = BufferWarnings.coupled name found.Moved
                    },
                    memory
                )
            Loss = List.tryHead found.Totals |> ValueOption.ofOption |> ValueOption.map _.ToScalar()
            Gradient = List.tryItem 1 found.Totals |> ValueOption.ofOption |> ValueOption.map (Tensor.convert set.DType)
            Outputs = ValueNone
        }

    // ---- both

    /// The matrix of a risk at the parameters as they are. Raises OperatorException for a risk without a model where
    /// one is needed.
    let at (kind: MatrixKind) (risk: TorchRiskDefinition) : MatrixPoint =
        if kind.NeedsModel && not risk.HasModel then
            Fail.operator (
                $"{kind.Name}: a risk of a model and a criterion is needed, as TorchRisk.ofModel and "
                + "TorchRisk.ofOutputs make it, and this is a loss"
            )

        if risk.HasBatches then overBatches kind risk else retained kind risk

    /// The outputs of a part with a model.
    let outputs (part: TorchPart) : TorchTensor | null = part.Outputs.Value()

    /// A result with a loss and a gradient.
    let toCurvature (risk: TorchRiskDefinition) (point: MatrixPoint) : TorchCurvature =
        let outputs =
            match point.Outputs with
            | ValueSome outputs -> (outputs: Tensor | null)
            | ValueNone -> null

        new TorchCurvature(point.Operator, risk.Set.Layout, point.Loss.Value, point.Gradient.Value, outputs)

    /// A result without a loss.
    let toMatrix (risk: TorchRiskDefinition) (point: MatrixPoint) : TorchMatrix =
        let outputs =
            match point.Outputs with
            | ValueSome outputs -> (outputs: Tensor | null)
            | ValueNone -> null

        new TorchMatrix(point.Operator, risk.Set.Layout, outputs)

    /// The Hessian of the loss.
    let hessian: MatrixKind =
        {
            Name = "torch Hessian"
            Properties = OperatorProperties.Symmetric
            IsMean = false
            NeedsModel = false
            Make = fun name isStrict set part -> GraphMatrix.hessian name isStrict set (part.Loss())
        }

    /// The gradient, as a matrix without products.
    let gradient: MatrixKind =
        { hessian with
            Name = "torch gradient"
            Make = fun name isStrict set part -> GraphMatrix.gradient name isStrict set (part.Loss())
        }
