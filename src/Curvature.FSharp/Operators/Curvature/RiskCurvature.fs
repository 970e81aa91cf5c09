namespace Curvature.FSharp

open System.Collections.Concurrent
open Curvature

/// A kind of square matrix that a risk has at each θ.
[<NoEquality; NoComparison>]
type internal RiskCurvature =
    {
        Name: string
        Properties: OperatorProperties
        Risk: RiskDefinition
        /// What a batch needs beside its tensors, such as noise.
        Extras: Tensor -> RiskBatch -> Tensor list
        /// The matrix of one batch with its extras.
        At: RiskData -> Tensor list -> SecondOrder
        /// What is seen of a batch at θ; see FirstPass.
        Observe: Tensor -> RiskData -> Observation list
        /// How others are told which matrix it is; nothing where they cannot be.
        Matrix: RiskMatrix voption
    }

/// A risk at θ, with the matrix there.
[<NoEquality; NoComparison>]
type internal CurvaturePoint =
    {
        Loss: Tensor
        /// Where the matrix is made from it.
        Gradient: Tensor voption
        Operator: LinearOperator
    }

module internal RiskCurvature =

    let private point (values: Tensor list) operator : CurvaturePoint =
        {
            Loss = values.Head
            Gradient = List.tryItem 1 values |> ValueOption.ofOption
            Operator = operator
        }

    /// Blocks of flat vectors as blocks of tensors in the shape of θ.
    let shaped (theta: Tensor) (block: Tensor) =
        Tensor.reshape (block.Signature.Shape[0] :: List.ofArray theta.Signature.Shape) block

    let flat (theta: Tensor) (block: Tensor) = Tensor.reshape [ block.Signature.Shape[0]; theta.Size ] block

    let private define (curvature: RiskCurvature) (theta: Tensor) products =
        { OperatorParts.define curvature.Name theta.DType theta.Size theta.Size products with
            Device = theta.Device
            Properties = curvature.Properties
        }

    // ---- functions of θ alone

    /// The matrix of a function at any point of one shape: one bound plan serves every product.
    let private ofFunction (curvature: RiskCurvature) : Tensor -> CurvaturePoint =
        let batch = RiskPass.ofFunction curvature.Risk

        let family (part: SecondOrder -> Tensor -> Linearization) =
            RiskPass.maps curvature.Risk (fun theta _ extras ->
                part (curvature.At [] extras) theta |> Linearization.toValues)

        let matvecs, forms = family _.Matvec, family _.Form
        let checkedShapes = ConcurrentDictionary<string, unit>()

        fun theta ->
            Linearization.checkPoint curvature.Name theta
            let extras, memory = curvature.Extras theta batch, new HeldMemory()
            let map = memory.Hold(matvecs theta batch extras)
            let matrix = curvature.At [] extras
            SecondOrder.checkFinite matrix "" theta map.Values

            checkedShapes.GetOrAdd(
                $"{theta.DType} {Shape.show theta.Signature.Shape}",
                fun _ -> Determinism.require curvature.Name matrix.Function theta
            )

            let form = lazy (memory.Hold(forms theta batch extras))

            let products =
                {
                    Matvec = fun v -> map.Apply(Tensor.reshape (List.ofArray theta.Signature.Shape) v) |> Tensor.flatten
                    Matmat = fun block -> map.ApplyBlock(shaped theta block) |> flat theta
                }

            new LinearOperator(
                { define curvature theta products with
                    Forms = ValueSome(fun block -> form.Value.ApplyBlock(shaped theta block))
                },
                memory
            )
            |> point map.Values

    // ---- over batches

    /// Plans of the products and of the forms with the matrix of a batch at θ, made once for each size of a batch.
    let plans (curvature: RiskCurvature) =
        let family (part: SecondOrder -> Tensor -> Linearization) =
            let maps =
                RiskPass.maps curvature.Risk (fun theta data extras ->
                    part (curvature.At data extras) theta |> Linearization.toValues)

            fun theta batch -> maps theta batch (curvature.Extras theta batch): CompiledMap

        struct (family _.Matvec, family _.Form)

    /// Loss and gradient of a batch at θ, as its plan gives them. They must be finite.
    let values (curvature: RiskCurvature) theta (batch: RiskBatch) (map: CompiledMap) : Tensor list =
        let matrix = curvature.At batch.Data (curvature.Extras theta batch)
        SecondOrder.checkFinite matrix batch.Suffix theta map.Values
        map.Values

    /// The function of a batch that must give the same bits twice.
    let functionOf (curvature: RiskCurvature) theta (batch: RiskBatch) : Tensor -> Tensor =
        (curvature.At batch.Data (curvature.Extras theta batch)).Function

    /// zᵀBz restricted to ranges for the rows z of a block, from their products with the matrix B of one batch:
    /// [rows; ranges], Float64.
    let blockForms (ranges: ParameterRange[]) (block: Tensor) (products: Tensor) : Tensor =
        let weighted = block * products

        [
            for struct (first, count) in ranges ->
                Tensor.slice 1 first count weighted |> Tensor.sumAxes [ 1 ] |> Tensor.convert DType.Float64
        ]
        |> Tensor.stack 1

    /// The matrix over batches at any point: plans are bound to one batch after the other.
    let private overBatches (curvature: RiskCurvature) : Tensor -> CurvaturePoint =
        let struct (matvecs, forms) = plans curvature

        fun theta ->
            Linearization.checkPoint curvature.Name theta

            let bound maps (batch: RiskBatch) : CompiledMap = maps theta batch

            /// The plan that is bound to the batch seen last in the first pass. Where that is the only one, it serves
            /// every product.
            let mutable last: CompiledMap voption = ValueNone

            let memory = new HeldMemory()
            let release () = last |> ValueOption.iter _.Dispose()

            let parts (batch: RiskBatch) =
                release ()
                let map = bound matvecs batch
                last <- ValueSome map
                values curvature theta batch map

            let data =
                FixedData(
                    curvature.Name,
                    curvature.Risk,
                    theta,
                    {
                        Observe = curvature.Observe theta
                        Function = functionOf curvature theta
                        Parts = parts
                    }
                )

            if data.BatchCount > 1 then release () else memory.Hold last.Value |> ignore
            let onlyForm = lazy (memory.Hold(bound forms (Seq.head data.Batches)))

            let apply maps (only: unit -> CompiledMap) (block: Tensor) (batch: RiskBatch) =
                if data.BatchCount = 1 then
                    (only ()).ApplyBlock(shaped theta block)
                else
                    use map = bound maps batch
                    map.ApplyBlock(shaped theta block)

            let matvec = apply matvecs (fun () -> last.Value)
            let form = apply forms (fun () -> onlyForm.Value)

            /// What each batch says of the whole: forms of the mean over its samples, times their number for a sum.
            let formsByBatch (block: Tensor) =
                let scale =
                    match curvature.Risk.Reduction with
                    | Reduction.Sum -> fun (batch: RiskBatch) -> float data.Samples / float batch.Size
                    | _ -> fun _ -> 1.0

                [
                    for batch in data.Batches ->
                        batch.Size, scale batch * Tensor.convert DType.Float64 (form block batch)
                ]

            /// Of numbers of each batch, where the groups say that they may be elsewhere: the same bits as there.
            let ofBlocks =
                match curvature.Risk.Source with
                | InGroups _ ->
                    ValueSome(fun ranges (block: Tensor) ->
                        data.SumWide(fun batch -> blockForms ranges block (flat theta (matvec block batch))))
                | _ -> ValueNone

            new LinearOperator(
                { define curvature theta (Products.ofMatmat (fun block -> data.Sum(matvec block) |> flat theta)) with
                    Forms = ValueSome(fun block -> data.Sum(form block))
                    FormsByBatch = ValueSome formsByBatch
                    BlockForms = ofBlocks
                    Warnings = data.Warnings
                },
                memory
            )
            |> point (data.First |> List.map (Tensor.convert theta.DType))

    // ---- over batches that are elsewhere

    /// The matrix over batches for which others answer.
    let private elsewhere (curvature: RiskCurvature) (remote: RemoteBatches) (matrix: RiskMatrix) =
        fun (theta: Tensor) ->
            Linearization.checkPoint curvature.Name theta
            let ask question = remote.Ask(curvature.Name, theta, question)
            let first = ask (RiskQuestion.Point matrix)
            let divided (sum: Tensor) = sum / RiskPass.divisor curvature.Risk first.Samples
            let sum question = Tensor.convert theta.DType (divided (ask question).Sums.Head)

            let formsByBatch (block: Tensor) =
                let scale size =
                    match curvature.Risk.Reduction with
                    | Reduction.Sum -> float first.Samples / float size
                    | _ -> 1.0

                (ask (RiskQuestion.FormsByBatch(matrix, block))).Rows
                |> List.map (fun (size, forms) -> size, scale size * forms)

            LinearOperator.Of
                { define curvature theta (Products.ofMatmat (fun v -> sum (RiskQuestion.Products(matrix, v)))) with
                    Forms = ValueSome(fun block -> sum (RiskQuestion.Forms(matrix, block)))
                    FormsByBatch = ValueSome formsByBatch
                    BlockForms =
                        ValueSome(fun ranges block ->
                            divided (ask (RiskQuestion.BlockForms(matrix, block, ranges))).Sums.Head)
                    Warnings = first.Warnings
                }
            |> point (first.Sums |> List.map (divided >> Tensor.convert theta.DType))

    // ---- the term without data

    /// Its Hessian.
    let private ofTerm (curvature: RiskCurvature) (term: Tensor -> Tensor) =
        ofFunction
            { curvature with
                Risk =
                    { curvature.Risk with
                        Source = NoData
                        Loss = (fun _ -> term)
                        Term = ValueNone
                        Remote = ValueNone
                    }
                Extras = fun _ _ -> []
                Matrix = ValueNone
                At =
                    fun _ _ ->
                        {
                            Name = $"{curvature.Name}, the term without data"
                            Function = term
                            Loss = term
                            Matvec = Linearization.hessian curvature.Name term
                            Form = Linearization.hessianForm term
                        }
            }

    // ---- both

    /// A matrix and that of a term without data.
    let private sum (data: CurvaturePoint) (term: CurvaturePoint) : CurvaturePoint =
        let ofData, ofTerm = data.Operator.Definition, term.Operator

        let both =
            { new System.IDisposable with
                member _.Dispose() =
                    data.Operator.Dispose()
                    ofTerm.Dispose()
            }

        /// The term is the same for every batch.
        let formsByBatch (forms: Tensor -> (int * Tensor) list) block =
            let termForms = Tensor.convert DType.Float64 (ofTerm.QuadraticForm block)
            forms block |> List.map (fun (size, form) -> size, form + termForms)

        {
            Loss = data.Loss + term.Loss
            Gradient = ValueOption.map2 (+) data.Gradient term.Gradient
            Operator =
                new LinearOperator(
                    { (data.Operator + ofTerm).Definition with
                        Name = ofData.Name
                        Properties = ofData.Properties
                        FormsByBatch = ofData.FormsByBatch |> ValueOption.map formsByBatch
                    },
                    both
                )
        }

    /// The risk and its matrix at point after point: recorded and compiled at the first.
    let family (curvature: RiskCurvature) : Tensor -> CurvaturePoint =
        let data =
            match curvature.Risk.Source, curvature.Risk.Remote, curvature.Matrix with
            | NoData, _, _ -> ofFunction curvature
            | _, ValueSome remote, ValueSome matrix -> elsewhere curvature remote matrix
            | _ -> overBatches curvature

        match curvature.Risk.Term with
        | ValueNone -> data
        | ValueSome term ->
            let term = ofTerm curvature term
            fun theta -> sum (data theta) (term theta)
