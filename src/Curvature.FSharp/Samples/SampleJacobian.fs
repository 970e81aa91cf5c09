namespace Curvature.FSharp

open Curvature

/// Jacobians of the outputs of single samples, with the curvature of their losses.
[<NoEquality; NoComparison>]
type internal SampleJacobians =
    {
        /// [k; C]
        Outputs: Tensor
        /// [k; C; n]
        Jacobians: Tensor
        /// The Hessians of the losses by the outputs, [k; C; C].
        Curvatures: Tensor
    }

module internal SampleJacobian =

    /// Of a model and of a criterion of its outputs, which is that of a single sample.
    let private specify name (risk: RiskDefinition) (criterion: RiskData -> Tensor -> Tensor) observe : SampleFunction =
        let model = risk.Model.Value

        {
            Name = name
            Observe = observe
            OfSample =
                fun data theta ->
                    let outputs, jacobian = fjacobian (model data >> Tensor.flatten) theta
                    let shape = List.ofArray (model data theta).Signature.Shape
                    let curvature = hessian (Tensor.reshape shape >> criterion data) outputs
                    [ outputs; Tensor.reshape [ outputs.Size; theta.Size ] jacobian; curvature ]
            Numbers =
                fun batch theta ->
                    let outputs = int64 (model batch.Data theta).Size / int64 batch.Size
                    max 1L outputs * int64 theta.Size
        }

    let private blocks options specification risk theta : SampleJacobians seq =
        SamplePass.blocks options specification risk theta
        |> Seq.map (fun results -> { Outputs = results[0]; Jacobians = results[1]; Curvatures = results[2] })

    /// With the curvature of the risk's criterion. Raises OperatorException for a risk without a model.
    let ofRisk name (options: SampleOptions) (risk: EmpiricalRisk) (theta: Tensor) : SampleJacobians seq =
        let struct (model, criterion) = RiskModel.require name risk

        let observe data theta =
            let outputs = model data theta
            [ SampleRows outputs; BatchLoss(criterion data outputs) ]

        blocks options (specify name risk.Definition criterion observe) risk theta

    /// With the curvature of the losses of a likelihood.
    let ofLikelihood name (options: SampleOptions) likelihood (risk: EmpiricalRisk) theta : SampleJacobians seq =
        let struct (model, _) = RiskModel.require name risk
        let criterion _ = Likelihood.logPartition likelihood
        let observe data theta = [ SampleRows(model data theta) ]
        blocks options (specify name risk.Definition criterion observe) risk theta

    /// Of the outputs alone; curvatures are those of squares.
    let ofModel name (options: SampleOptions) (risk: EmpiricalRisk) (theta: Tensor) : SampleJacobians seq =
        ofLikelihood name options (Likelihood.gaussian 1.0) risk theta
