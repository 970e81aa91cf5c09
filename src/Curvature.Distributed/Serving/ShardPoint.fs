namespace Curvature.FSharp

open System
open System.Collections.Concurrent
open System.Collections.Generic
open System.Threading
open Curvature

/// A matrix of a risk, and its plans: made once for each size of a batch.
[<NoEquality; NoComparison>]
type internal ServedMatrix =
    {
        Curvature: RiskCurvature
        Matvecs: Tensor -> RiskBatch -> CompiledMap
        Forms: Tensor -> RiskBatch -> CompiledMap
    }

/// What a worker has of a risk at every point: plans, made once for each size of a batch.
[<Sealed>]
type internal ServedRisk(risk: EmpiricalRisk) =
    let likelihood name variance =
        match name with
        | "categorical" -> Likelihood.Categorical
        | "bernoulli" -> Likelihood.Bernoulli
        | "gaussian" -> Likelihood.gaussian variance
        | other -> ClusterFail.cluster $"a message has a likelihood named {other}"

    let define (matrix: RiskMatrix) : RiskCurvature =
        match matrix with
        | RiskMatrix.Hessian -> Hessian.curvature risk
        | RiskMatrix.GaussNewton -> GaussNewton.curvature risk
        | RiskMatrix.ExactFisher(name, variance) -> Fisher.curvature (FisherKind.exact (likelihood name variance)) risk
        | RiskMatrix.DrawnFisher(name, variance, draws, key) ->
            Fisher.curvature (FisherKind.monteCarlo (likelihood name variance) draws key) risk

    let matrices = ConcurrentDictionary<string, ServedMatrix>()
    let gradient = lazy (Gradient.ofBatch risk.Definition)

    /// A matrix, and its plans.
    member _.Matrix(matrix: RiskMatrix) : ServedMatrix =
        let make (_: string) : ServedMatrix =
            let curvature = define matrix
            let struct (matvecs, forms) = RiskCurvature.plans curvature
            { Curvature = curvature; Matvecs = matvecs; Forms = forms }

        matrices.GetOrAdd($"{matrix}", Func<string, ServedMatrix> make)

    member _.Gradient = gradient.Value
    member _.Definition = risk.Definition

/// Questions at a point of a risk, answered for a range of groups.
[<Sealed>]
type internal ServedPoint(risk: ServedRisk, point: ShardPoint) =
    let theta = point.Theta
    let mutable gradientSeen = false

    /// What the first pass of a matrix checks.
    let inspect (curvature: RiskCurvature) =
        let observe = curvature.Observe theta
        let mutable isFirst = true

        fun (batch: RiskBatch) ->
            observe batch.Data |> ignore

            if batch.Number = 0 then
                Determinism.require curvature.Name (RiskCurvature.functionOf curvature theta batch) theta

            if isFirst && batch.Size > 1 then
                isFirst <- false
                let ofPart (part: Batch) = observe [ part.Inputs; part.Targets ]
                let whole = Batch(batch.Data.Head, batch.Data[1])

                SampleCoupling.warnings curvature.Name curvature.Risk.Reduction ofPart whole
                |> List.map (fun warning -> batch.Number, warning)
            else
                []

    let sums name range inspect parts =
        ShardPass.sums name risk.Definition point range inspect (fun batch -> struct (parts batch, []))

    /// For each matrix and each kind of plan the one that was bound last, with the number of its batch: a worker with
    /// one batch binds once.
    let held = Dictionary<string, struct (int * CompiledMap)>()

    let release () =
        for struct (_, map) in held.Values do
            map.Dispose()

        held.Clear()

    /// The plan of a batch. It is the caller's until another is asked for.
    let bound (matrix: RiskMatrix) isForm (batch: RiskBatch) : CompiledMap =
        let name = $"{matrix} {isForm}"

        match held.TryGetValue name with
        | true, struct (number, map) when number = batch.Number -> map
        | isThere, struct (_, last) ->
            if isThere then
                held.Remove name |> ignore
                last.Dispose()

            let { Matvecs = matvecs; Forms = forms } = risk.Matrix matrix
            let map = (if isForm then forms else matvecs) theta batch
            held[name] <- struct (batch.Number, map)
            map

    /// Sums of a map of a block for the matrix of each batch. The weights are those of the matrix.
    let ofBlock name range matrix (block: Tensor) isForm (part: Tensor -> Tensor) =
        let { Curvature = curvature } = risk.Matrix matrix
        let shaped = RiskCurvature.shaped theta block

        let parts (batch: RiskBatch) =
            let map = bound matrix isForm batch
            let product = map.ApplyBlock shaped
            [ part (if isForm then product else RiskCurvature.flat theta product) ]

        ShardPass.sums name curvature.Risk point range (fun _ -> []) (fun batch -> struct (parts batch, []))

    let byBatch name range matrix (block: Tensor) =
        let { Curvature = curvature } = risk.Matrix matrix
        let shaped = RiskCurvature.shaped theta block

        ShardPass.sums name curvature.Risk point range (fun _ -> []) (fun batch ->
            let forms = Tensor.convert DType.Float64 ((bound matrix true batch).ApplyBlock shaped)

            let row =
                {
                    Number = batch.Number
                    Size = batch.Size
                    Values = forms.ToArray()
                    Text = ""
                }

            struct ([ Tensor.zeros DType.Float64 [] ], [ row ]))

    let loss name (batch: RiskBatch) =
        let loss = batch.Loss theta
        Finite.check $"{name}{batch.Suffix}: the loss" loss
        [ loss ]

    let gradient isCompiled =
        let isNew = not gradientSeen
        gradientSeen <- true

        let ofBatch (theta: Tensor) (batch: RiskBatch) =
            if isCompiled then
                if isNew && batch.Number = 0 then
                    Determinism.require "Gradient" batch.Loss theta

                risk.Gradient isNew theta batch
            else
                Linearization.gradient "Gradient" batch.Loss theta

        Gradient.parts ofBatch theta

    member _.Id = point.Id
    member _.Size = theta.Size

    /// Gives back the memory of plans; a question afterwards binds them anew.
    member _.Release() = release ()

    /// The answer to a question, for errors under a name, over a range of groups.
    member _.Answer(name: string, question: RiskQuestion, range: GroupRange) : Partial =
        match question with
        | RiskQuestion.Loss -> sums name range (fun _ -> []) (loss name)
        | RiskQuestion.LossGradient isCompiled -> sums name range (fun _ -> []) (gradient isCompiled)
        | RiskQuestion.Point matrix ->
            let { Curvature = curvature } = risk.Matrix matrix

            let parts (batch: RiskBatch) =
                struct (RiskCurvature.values curvature theta batch (bound matrix false batch), [])

            ShardPass.sums name curvature.Risk point range (inspect curvature) parts
        | RiskQuestion.Products(matrix, block) -> ofBlock name range matrix block false id
        | RiskQuestion.Forms(matrix, block) -> ofBlock name range matrix block true id
        | RiskQuestion.BlockForms(matrix, block, ranges) ->
            ofBlock name range matrix block false (RiskCurvature.blockForms ranges block)
        | RiskQuestion.FormsByBatch(matrix, block) -> byBatch name range matrix block
        | RiskQuestion.LossGrid grid -> sums name range (fun _ -> []) (LossGrid.parts ignore theta grid risk.Definition)
        | RiskQuestion.LossesAt points ->
            sums name range (fun _ -> []) (LossGrid.lossesOf CancellationToken.None name points risk.Definition)
